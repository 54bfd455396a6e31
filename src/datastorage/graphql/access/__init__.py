"""The access audit in the API."""
