"""The database of this process: the configured one, or a use of the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL, make_url

from datastorage.db.embedded import EmbeddedServer, default_data_dir, open_embedded_server
from datastorage.db.url import configured_url
from datastorage.settings import Settings

SPARE_CONNECTIONS = 5  # migrations, checks, and whoever looks with psql


def revive(settings: Settings) -> None:
    """Starts the embedded server again should it have died. Blocks. Errors: EmbeddedServerError."""
    _open(settings).release()  # another use of this process keeps it running


@contextmanager
def located(settings: Settings) -> Iterator[URL]:
    """Where the database is, for as long as the context lasts. May block while the embedded one starts.

    Errors: SettingsError, EmbeddedServerError.
    """
    if settings.has_database:
        yield configured_url(settings)
        return
    with _open(settings) as server:
        yield make_url(server.url)


def _open(settings: Settings) -> EmbeddedServer:
    # One pool per worker, one for a command such as `import` beside the running service.
    connections_max = (settings.workers + 1) * settings.pool_size + SPARE_CONNECTIONS
    return open_embedded_server(settings.data_dir or default_data_dir(), connections_max=connections_max)
