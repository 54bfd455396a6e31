"""Database faults in the words of the product. The one place that reads SQLSTATEs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from datastorage.errors import (
    DataStorageError,
    LockTimeout,
    OperationTimeout,
    SchemaNotReady,
    Unavailable,
    WriteCollision,
)

QUERY_CANCELED: Final = "57014"
LOCK_NOT_AVAILABLE: Final = "55P03"
INVALID_PARAMETER: Final = "22023"  # such as an unknown time zone
DATA_REFUSED: Final = ("22", "23")  # classes: a value that does not fit, a constraint
SCHEMA_BEHIND: Final = ("42P01", "42703")  # a table or column that a pending migration brings
RETRYABLE: Final = ("40001", "40P01")  # serialisation failure, deadlock: the whole transaction again
# 08 connection, 28 password changed meanwhile, 53 resources (disk full, too many connections), 57P shutdown,
# 58 system, XX internal, 25006 a standby after a fail-over, 3D000 database dropped
UNAVAILABLE_CLASSES: Final = ("08", "28", "53", "57P", "58", "XX", "25006", "3D000")


@contextmanager
def translated(*, driver_keeps_time: bool = False) -> Iterator[None]:
    """Raises OperationTimeout and Unavailable instead of what the driver raised; other faults pass.

    `driver_keeps_time`: behind a pooler it is the driver, not the server, that ends what takes too long.
    """
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("no database connection is free; try again") from error
    except TimeoutError as error:
        if not driver_keeps_time:
            raise
        raise _took_too_long() from error
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        known = as_domain_error(error)
        if known is None:
            raise
        raise known from error


@contextmanager
def connecting() -> Iterator[None]:
    """The same around opening a connection: whatever the server or the operating system says, it is not there."""
    try:
        yield
    except (OSError, asyncpg.PostgresError) as error:
        raise _not_available() from error
    except DBAPIError as error:
        raise (as_domain_error(error) or _not_available()) from error


def as_domain_error(error: BaseException) -> DataStorageError | None:
    """What a driver's error means; None when it is a fault of ours that should be masked."""
    known = _meaning(sqlstate(error))
    if known is not None:
        return known
    if any(isinstance(cause, asyncpg.InvalidCachedStatementError) for cause in _causes(error)):
        return Unavailable("the database schema has just changed; try again")
    return _not_available() if connection_lost(error) else None


def _meaning(state: str) -> DataStorageError | None:
    if state == QUERY_CANCELED:
        return _took_too_long()
    if state in SCHEMA_BEHIND:
        return SchemaNotReady("the database schema is not ready for this release; run: datastorage migrate")
    if state in RETRYABLE:
        return WriteCollision("another write was in the way; try again")
    if state == LOCK_NOT_AVAILABLE:
        return LockTimeout("another write was in the way; try again")
    return _not_available() if state.startswith(UNAVAILABLE_CLASSES) else None


def concerns_one_unit(error: BaseException) -> bool:
    """Whether one of several units in a transaction is to blame: its data, or a lock that it waited for too long."""
    if isinstance(error, OperationTimeout | LockTimeout):
        return True
    return isinstance(error, DBAPIError) and sqlstate(error).startswith(DATA_REFUSED)


def sqlstate(error: BaseException) -> str:
    """The five characters that say what happened; empty when there are none."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(origin, "sqlstate", None)
    return state if isinstance(state, str) else ""


def reason(error: BaseException) -> str:
    """What the driver or the server said, in one line; never holds a password."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return next(iter(str(origin).splitlines()), "") or type(origin).__name__


def connection_lost(error: BaseException) -> bool:
    """Whether the connection broke, so that nobody knows what the server did last."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return any(_says_lost(cause) for cause in _causes(error))


def _says_lost(error: BaseException) -> bool:
    if isinstance(error, asyncpg.InterfaceError):  # also raised for wrong use, which no repetition mends
        return "closed" in str(error)
    return isinstance(error, OSError | asyncpg.PostgresConnectionError)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The driver's own errors, which SQLAlchemy wraps more than once."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _took_too_long() -> OperationTimeout:
    return OperationTimeout("the database took too long; narrow the request or try again")


def _not_available() -> Unavailable:
    return Unavailable("the database is not available; try again")
