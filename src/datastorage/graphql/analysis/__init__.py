"""AI analyses in the API."""
