"""The database's URL: what people write, and what the driver gets."""

import pytest

from datastorage.db.url import asyncpg_url, configured_url, read_url
from datastorage.errors import SettingsError
from datastorage.settings import Settings


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://me:pw@db:5433/x", "postgresql+asyncpg://me:pw@db:5433/x?ssl=prefer"),
        ("postgresql://me:p/s#s@db/x", "postgresql+asyncpg://me:p%2Fs%23s@db/x?ssl=prefer"),
        ("postgres://me:pw@db/x", "postgresql+asyncpg://me:pw@db/x?ssl=prefer"),
        ("postgresql+asyncpg://me@db/x", "postgresql+asyncpg://me@db/x?ssl=prefer"),
        ("postgresql://me:p%40ss@[::1]:5433/x", "postgresql+asyncpg://me:p%40ss@[::1]:5433/x?ssl=prefer"),
        ("postgresql://db/x?sslmode=require", "postgresql+asyncpg://db/x?ssl=require"),
        ("postgresql://db/x?ssl=verify-ca", "postgresql+asyncpg://db/x?ssl=verify-ca"),
        (
            "postgresql://me@/x?host=/var/run/postgresql",
            "postgresql+asyncpg://me@/x?host=%2Fvar%2Frun%2Fpostgresql",
        ),
        (
            "postgresql://me@/x?host=/run&port=5433&sslmode=require",
            "postgresql+asyncpg://me@/x?host=%2Frun&port=5433",
        ),
        ("postgresql:///x", "postgresql+asyncpg:///x"),
    ],
)
def test_usual_urls_are_taken(given: str, used: str) -> None:
    assert asyncpg_url(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("mysql://me@db/x", "names 'mysql'; only postgresql:// is supported"),
        ("postgresql+psycopg2://me@db/x", "names 'postgresql+psycopg2'; only postgresql:// is supported"),
        ("db.example.com:5432", "is no URL; expected postgresql://user:password@host:5432/name"),
        ("//me@db/x", "is no URL; expected postgresql://user:password@host:5432/name"),
        ("postgresql://me@db:port/x", "is no URL; expected postgresql://user:password@host:5432/name"),
        (
            "postgresql://me@db/x?sslmode=yes",
            "sslmode must be disable, allow, prefer, require, verify-ca or verify-full",
        ),
        ("postgresql://me@db/x?channel_binding=require", "parameter 'channel_binding' is not supported"),
    ],
)
def test_other_urls_are_refused(given: str, fault: str) -> None:
    with pytest.raises(SettingsError) as refused:
        asyncpg_url(given)

    assert str(refused.value) == f"wrong settings:\n  DATASTORAGE_DATABASE_URL: {fault}"


def test_parameters_that_the_driver_reads_from_a_dsn_only_go_into_one() -> None:
    url = asyncpg_url(
        "postgresql://me:pw@db/x?sslmode=verify-full&sslrootcert=/etc/ca%20s.pem&target_session_attrs=read-write"
    )

    assert url.query == {
        "ssl": "verify-full",
        "dsn": "postgresql://?sslrootcert=%2Fetc%2Fca+s.pem&target_session_attrs=read-write",
    }


def test_the_mode_of_tls_is_a_default_for_the_url() -> None:
    without = Settings(_env_file=None, database_url="postgresql://db/x", database_ssl_mode="require")
    within = Settings(
        _env_file=None, database_url="postgresql://db/x?sslmode=disable", database_ssl_mode="require"
    )

    assert configured_url(without).query == {"ssl": "require"}
    assert configured_url(within).query == {"ssl": "disable"}


@pytest.mark.parametrize(
    ("host", "used"),
    [
        ("db", "postgresql+asyncpg://datastorage:p%40ss%2F@db:5432/datastorage?ssl=prefer"),
        ("/run", "postgresql+asyncpg://datastorage:p%40ss%2F@/datastorage?host=%2Frun&port=5432"),
    ],
)
def test_a_database_is_named_in_parts(host: str, used: str) -> None:
    settings = Settings(_env_file=None, database_host=host, database_password="p@ss/")

    assert configured_url(settings).render_as_string(hide_password=False) == used


def test_a_replica_is_asked_as_the_database_is_unless_its_url_says_otherwise() -> None:
    primary = {
        "database_host": "db",
        "database_user": "svc",
        "database_password": "pw",
        "database_name": "audits",
    }

    short = read_url(Settings(_env_file=None, database_read_url="postgresql://replica:5433", **primary))
    whole = read_url(
        Settings(_env_file=None, database_read_url="postgresql://me:mine@replica/other", **primary)
    )

    assert short is not None
    assert whole is not None
    assert (short.username, short.password, short.host, short.port) == ("svc", "pw", "replica", 5433)
    assert short.database == "audits"
    assert (whole.username, whole.password, whole.database) == ("me", "mine", "other")


def test_without_one_there_is_no_url() -> None:
    assert read_url(Settings(_env_file=None)) is None
