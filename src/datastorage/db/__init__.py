"""PostgreSQL: connections, sessions, the embedded server, migrations and start-up checks."""
