"""PostgreSQL embedded in the service: used when no database is configured. Called by app and cli."""

from datastorage.db.embedded.directory import default_data_dir
from datastorage.db.embedded.server import EmbeddedServer, open_embedded_server

__all__ = ["EmbeddedServer", "default_data_dir", "open_embedded_server"]
