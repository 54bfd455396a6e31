"""The timeline of a remediation in the API."""
