"""A unit of work that failed is counted once, under the reason for which it failed."""

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from datastorage.domain.caller import OPERATOR
from datastorage.domain.remediation import REMEDIATION
from datastorage.errors import Unavailable, WriteCollision
from datastorage.observability.labels import DualWriteFailure
from datastorage.observability.metrics import DUALWRITE_FAILURE, DUALWRITE_SUCCESS
from datastorage.observability.tallies import hand_over
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_record
from support.records import remediation_row

WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'remediation_event'::regclass"
PARTS = "SELECT (SELECT count(*) FROM remediation_audit), (SELECT count(*) FROM remediation_event), (SELECT count(*) FROM incident_lexical)"

Counted = Callable[[], dict[str, float]]


@pytest.fixture
def counted() -> Counted:
    """What was counted since the test began, by reason; successes under `success`."""

    def now() -> dict[str, float]:
        hand_over()
        counters = {str(reason): DUALWRITE_FAILURE.labels(reason) for reason in DualWriteFailure}
        return {name: each._value.get() for name, each in {**counters, "success": DUALWRITE_SUCCESS}.items()}

    before = now()
    return lambda: {name: value - before[name] for name, value in now().items() if value > before[name]}


async def refuse_inserts(sql: asyncpg.Connection, state: str) -> None:
    """Has PostgreSQL give up every transaction that stores an audit, with this SQLSTATE."""
    await sql.execute(
        f"""
        CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '{state}'; END $$;
        CREATE TRIGGER give_up BEFORE INSERT ON remediation_audit FOR EACH ROW EXECUTE FUNCTION give_up();
        """
    )


async def store(deps: Dependencies) -> Any:
    return await create_record(deps, OPERATOR, REMEDIATION, remediation_row())


async def test_a_collision_that_repeating_does_not_end_is_a_rollback_and_no_failure_of_postgresql(
    deps: Dependencies, sql: asyncpg.Connection, counted: Counted
) -> None:
    await refuse_inserts(sql, "40001")

    with pytest.raises(WriteCollision):
        await store(deps)

    assert counted() == {"transaction_rollback": 1}


async def test_what_postgresql_refuses_for_a_reason_of_its_own_is_a_rollback(
    deps: Dependencies, sql: asyncpg.Connection, counted: Counted
) -> None:
    await refuse_inserts(sql, "P0001")

    with pytest.raises(Exception, match="given up"):
        await store(deps)

    assert counted() == {"transaction_rollback": 1}


async def test_a_server_without_room_is_a_failure_of_postgresql(
    deps: Dependencies, sql: asyncpg.Connection, counted: Counted
) -> None:
    await refuse_inserts(sql, "53100")  # disk full

    with pytest.raises(Exception, match="not available"):
        await store(deps)

    assert counted() == {"postgresql_failure": 1}


async def test_a_cancelled_write_that_was_begun_is_counted_as_such_and_ends_whole(
    deps: Dependencies, sql: asyncpg.Connection, counted: Counted
) -> None:
    async with sql.transaction():
        await sql.execute("LOCK TABLE remediation_event")
        writing = asyncio.create_task(store(deps))
        while not await sql.fetchval(WAITS):  # noqa: ASYNC110 - the event is the server's
            await asyncio.sleep(0.01)
        writing.cancel()
        await asyncio.wait([writing])

    error = writing.exception()
    assert isinstance(error, Unavailable)
    assert error.outcome_unknown
    assert counted() == {"context_canceled": 1}
    await deps.writes.close()
    assert tuple(await sql.fetchrow(PARTS)) == (1, 1, 1)


async def test_a_fault_of_ours_is_unknown(deps: Dependencies, counted: Counted) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    with pytest.raises(RuntimeError):
        await store(dataclasses.replace(deps, ids={REMEDIATION.type_name: Broken()}))

    assert counted() == {"unknown": 1}
