"""Database faults in the words of the product. The one place that reads SQLSTATEs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from datastorage.errors import DataStorageError, OperationTimeout, Unavailable

QUERY_CANCELED: Final = "57014"
LOCK_NOT_AVAILABLE: Final = "55P03"
UNIQUE_VIOLATION: Final = "23505"
RETRYABLE: Final = ("40001", "40P01")  # serialisation failure, deadlock: the whole transaction again
# 08 connection, 53 resources (disk full, too many connections), 57P shutdown, 58 system, XX internal
UNAVAILABLE_CLASSES: Final = ("08", "53", "57P", "58", "XX", "25006", "3D000")


@contextmanager
def translated() -> Iterator[None]:
    """Raises OperationTimeout and Unavailable instead of what the driver raised; other faults pass."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("no database connection is free; try again") from error
    except (DBAPIError, asyncpg.PostgresError, OSError, asyncpg.InterfaceError) as error:
        known = as_domain_error(error)
        if known is None:
            raise
        raise known from error


def as_domain_error(error: BaseException) -> DataStorageError | None:
    """What a driver's error means; None when it is a fault of ours that should be masked."""
    state = sqlstate(error)
    if state == QUERY_CANCELED:
        return OperationTimeout("the database took too long; narrow the request or try again")
    if state in (LOCK_NOT_AVAILABLE, *RETRYABLE):
        return Unavailable("another write was in the way; try again")
    if state.startswith(UNAVAILABLE_CLASSES) or connection_lost(error):
        return Unavailable("the database is not available; try again")
    return None


def sqlstate(error: BaseException) -> str:
    """The five characters that say what happened; empty when there are none."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(origin, "sqlstate", None)
    return state if isinstance(state, str) else ""


def connection_lost(error: BaseException) -> bool:
    """Whether the connection broke, so that nobody knows what the server did last."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or connection_lost_origin(error.orig)
    return connection_lost_origin(error)


def connection_lost_origin(error: BaseException | None) -> bool:
    """The same for the driver's own error, which SQLAlchemy wraps once more."""
    seen = error
    while seen is not None:
        if isinstance(seen, OSError | asyncpg.InterfaceError | asyncpg.PostgresConnectionError):
            return True
        seen = seen.__cause__
    return False
