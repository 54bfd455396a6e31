"""Similar incidents in the API."""
