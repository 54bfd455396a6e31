"""Where the database is: settings as a SQLAlchemy URL for asyncpg."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from sqlalchemy.engine import URL, make_url

from datastorage.errors import SettingsError
from datastorage.settings import Settings, url_fault

DRIVER: Final = "postgresql+asyncpg"
# Parameters of asyncpg.connect; the others it reads from a DSN only.
OWN_PARAMETERS: Final = ("host", "port", "user", "password", "ssl")


def configured_url(settings: Settings) -> URL:
    """The URL that the settings name; `settings.has_database` must be true. Errors: SettingsError."""
    if settings.database_url is not None:
        return asyncpg_url(settings.database_url.get_secret_value(), settings.database_ssl_mode)
    password = settings.database_password
    url = URL.create(
        DRIVER,
        username=settings.database_user,
        password=None if password is None else password.get_secret_value(),
        database=settings.database_name,
    )
    host, port = str(settings.database_host), settings.database_port
    if _is_socket(host):
        return url.set(query={"host": host, "port": str(port)})
    return url.set(host=host, port=port, query={"ssl": settings.database_ssl_mode.value})


def read_url(settings: Settings) -> URL | None:
    """The URL of the replica, where there is one; user, password and database as of the primary unless it says others.

    Errors: SettingsError.
    """
    given = settings.database_read_url
    if given is None:
        return None
    url = asyncpg_url(given.get_secret_value(), settings.database_ssl_mode)
    if not settings.has_database:
        return url
    primary = configured_url(settings)
    return url.set(
        username=url.username or primary.username,
        password=url.password or primary.password,
        database=url.database or primary.database,
    )


def asyncpg_url(text: str, ssl_mode: str = "prefer") -> URL:
    """Any usual PostgreSQL URL for asyncpg; libpq's `sslmode` in it wins. Errors: SettingsError."""
    fault = url_fault(text)
    if fault:
        raise SettingsError(f"wrong settings:\n  DATASTORAGE_DATABASE_URL: {fault}")
    url = make_url(text)
    given = dict(url.query)
    host = given.get("host", url.host)
    ssl = given.pop("sslmode", ssl_mode)
    query = {name: value for name, value in given.items() if name in OWN_PARAMETERS}
    if not _is_socket(host):
        query.setdefault("ssl", ssl)
    for_dsn = {name: value for name, value in given.items() if name not in OWN_PARAMETERS}
    if for_dsn:
        query["dsn"] = f"postgresql://?{urlencode(for_dsn, doseq=True)}"
    return url.set(drivername=DRIVER, query=query)


def _is_socket(host: object) -> bool:
    return host is None or str(host).startswith("/")
