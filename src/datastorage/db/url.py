"""Where the database is: settings, or the embedded server, as a SQLAlchemy URL for asyncpg."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from datastorage.errors import SettingsError
from datastorage.settings import Settings

DRIVER: Final = "postgresql+asyncpg"
DIALECTS: Final = ("postgres", "postgresql", DRIVER)


def configured_url(settings: Settings) -> URL:
    """The URL that the settings name; `settings.has_database` must be true. Errors: SettingsError."""
    if settings.database_url is not None:
        return asyncpg_url(settings.database_url.get_secret_value(), str(settings.database_ssl_mode))
    password = settings.database_password
    return URL.create(
        DRIVER,
        username=settings.database_user,
        password=None if password is None else password.get_secret_value(),
        host=settings.database_host,
        port=settings.database_port,
        database=settings.database_name,
        query=_tls(settings.database_host, str(settings.database_ssl_mode)),
    )


def asyncpg_url(text: str, ssl_mode: str = "prefer") -> URL:
    """Any usual PostgreSQL URL for asyncpg; libpq's `sslmode` in it wins. Errors: SettingsError."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "wrong settings:\n  DATASTORAGE_DATABASE_URL: is no URL; "
            "expected postgresql://user:password@host:5432/name"
        ) from None
    if url.drivername not in DIALECTS:
        raise SettingsError(
            f"wrong settings:\n  DATASTORAGE_DATABASE_URL: names {url.drivername!r}; "
            "only postgresql:// is supported"
        )
    query: dict[str, Any] = dict(url.query)
    host = query.get("host", url.host)
    tls = {} if "ssl" in query else _tls(str(host), str(query.pop("sslmode", ssl_mode)))
    return url.set(drivername=DRIVER, query={**query, **tls})


def _tls(host: str | None, ssl_mode: str) -> dict[str, str]:
    over_socket = host is None or host.startswith("/")
    return {} if over_socket else {"ssl": ssl_mode}
