"""Executions in the API."""
