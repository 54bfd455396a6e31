"""What a driver's error means to a caller: one row for each SQLSTATE that the product knows."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from datastorage.db.faults import (
    as_domain_error,
    connecting,
    connection_lost,
    reason,
    sqlstate,
    translated,
)
from datastorage.errors import LockTimeout, OperationTimeout, RecordNotFound, Unavailable, WriteCollision


def wrapped(origin: BaseException, *, invalidated: bool = False) -> DBAPIError:
    """As SQLAlchemy raises it: the driver's error is the cause of an adapter's, which is its `orig`."""
    adapter = RuntimeError(str(origin))
    adapter.sqlstate = getattr(origin, "sqlstate", None)
    adapter.__cause__ = origin
    return DBAPIError("SELECT 1", {}, adapter, connection_invalidated=invalidated)


def with_state(state: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": state, "M": "said by the server"})


@pytest.mark.parametrize(
    ("state", "kind", "message"),
    [
        ("57014", OperationTimeout, "the database took too long; narrow the request or try again"),
        ("55P03", LockTimeout, "another write was in the way; try again"),
        ("40001", WriteCollision, "another write was in the way; try again"),
        ("40P01", WriteCollision, "another write was in the way; try again"),
        *(
            (state, Unavailable, "the database is not available; try again")
            for state in (
                "08000",  # connection exception
                "08006",  # connection failure
                "28P01",  # the password was changed
                "28000",  # pg_hba.conf was changed
                "53100",  # disk full
                "53200",  # out of memory
                "53300",  # too many connections
                "57P01",  # shutdown
                "57P02",  # crash of another process
                "57P03",  # starting up
                "58030",  # input or output error
                "XX001",  # corrupted data
                "25006",  # a standby
                "3D000",  # the database was dropped
            )
        ),
    ],
)
def test_what_may_pass_is_retryable(state: str, kind: type[Unavailable], message: str) -> None:
    for error in (with_state(state), wrapped(with_state(state))):
        known = as_domain_error(error)

        assert type(known) is kind
        assert (str(known), known.retryable, known.outcome_unknown) == (message, True, False)


@pytest.mark.parametrize("state", ["23505", "23514", "22003", "22P02", "42601", "42501", "0A000", "25P02"])
def test_what_is_our_own_fault_is_not_translated(state: str) -> None:
    assert as_domain_error(wrapped(with_state(state))) is None
    with pytest.raises(DBAPIError), translated():
        raise wrapped(with_state(state))


def test_a_plan_that_a_migration_has_outdated_is_retryable() -> None:
    outdated = asyncpg.InvalidCachedStatementError("cached statement plan is invalid")

    assert str(as_domain_error(wrapped(outdated))) == "the database schema has just changed; try again"


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (wrapped(asyncpg.ConnectionDoesNotExistError("closed in the middle of operation")), True),
        (wrapped(asyncpg.InterfaceError("the underlying connection is closed")), True),
        (wrapped(asyncpg.InterfaceError("the number of query arguments cannot exceed 32767")), False),
        (wrapped(asyncpg.DataError("invalid input for query argument $1")), False),
        (wrapped(with_state("57P01"), invalidated=True), True),
        (wrapped(with_state("23505")), False),
        (wrapped(ConnectionResetError()), True),
        (ConnectionResetError(), True),
        (ValueError(), False),
    ],
)
def test_a_lost_connection_is_told_from_a_wrong_use_of_one(error: BaseException, lost: bool) -> None:
    assert connection_lost(error) is lost
    assert isinstance(as_domain_error(error), Unavailable) is lost


def test_a_full_pool_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="no database connection is free; try again"), translated():
        raise PoolTimeout


def test_errors_of_the_operating_system_count_while_connecting_only() -> None:
    with pytest.raises(Unavailable, match="not available"), translated(), connecting():
        raise TimeoutError
    with pytest.raises(TimeoutError), translated():
        raise TimeoutError


def test_behind_a_pooler_the_driver_says_what_took_too_long() -> None:
    with pytest.raises(OperationTimeout, match="took too long"), translated(driver_keeps_time=True):
        raise TimeoutError


def test_errors_of_the_product_pass() -> None:
    with pytest.raises(RecordNotFound), translated(), connecting():
        raise RecordNotFound


def test_the_cause_is_kept_for_the_log() -> None:
    cause = wrapped(with_state("57014"))

    with pytest.raises(OperationTimeout) as raised, translated():
        raise cause

    assert raised.value.__cause__ is cause


def test_the_state_and_the_reason_are_those_of_the_driver() -> None:
    error = wrapped(asyncpg.PostgresError.new({"C": "42501", "M": "permission denied", "H": "ask for it"}))

    assert (sqlstate(error), reason(error)) == ("42501", "permission denied")
    assert (sqlstate(ValueError()), reason(ValueError())) == ("", "ValueError")


def test_a_table_that_a_migration_has_still_to_bring_is_retryable() -> None:
    known = as_domain_error(wrapped(with_state("42P01")))

    assert isinstance(known, Unavailable)
    assert str(known) == "the database schema is not ready for this release; run: datastorage migrate"
