"""Remediation audits in the API."""
