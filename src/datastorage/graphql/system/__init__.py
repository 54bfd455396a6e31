"""The status of the system in the API."""
