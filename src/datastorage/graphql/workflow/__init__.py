"""Workflows in the API."""
