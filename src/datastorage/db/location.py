"""The database of this process: the configured one, or a use of the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL, make_url

from datastorage.db.embedded import default_data_dir, open_embedded_server
from datastorage.db.url import configured_url
from datastorage.settings import Settings

SPARE_CONNECTIONS = 5  # migrations, checks, and whoever looks with psql


@contextmanager
def located(settings: Settings) -> Iterator[URL]:
    """Where the database is, for as long as the context lasts. May block while the embedded one starts.

    Errors: SettingsError, EmbeddedServerError.
    """
    if settings.has_database:
        yield configured_url(settings)
        return
    # One pool per worker, one for a command such as `import` beside the running service.
    connections_max = (settings.workers + 1) * settings.pool_size + SPARE_CONNECTIONS
    with open_embedded_server(
        settings.data_dir or default_data_dir(), connections_max=connections_max
    ) as server:
        yield make_url(server.url)
