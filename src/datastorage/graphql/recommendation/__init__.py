"""What to do about an incident, and whether it is wise just now, in the API."""
