"""Creates that arrive together share transactions; what one of them meets is told to nobody else."""

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from datastorage.domain.caller import OPERATOR
from datastorage.domain.remediation import REMEDIATION
from datastorage.errors import RecordConflict, Unavailable
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_record
from support.records import remediation_row

WRITERS = 40
WHOLE = """
    SELECT a.remediation_request_id FROM remediation_audit a
    JOIN remediation_event e ON e.subject_key = a.remediation_request_id AND e.version = 1
    JOIN incident_lexical l ON l.audit_id = a.id JOIN incident_embedding USING (content_hash) ORDER BY 1
"""


async def store(deps: Dependencies, key: str, **fields: Any) -> Any:
    return await create_record(
        deps, OPERATOR, REMEDIATION, remediation_row(remediation_request_id=key, **fields)
    )


async def whole(sql: asyncpg.Connection) -> list[str]:
    """The keys of remediations that have all their parts; and there are no others."""
    keys = [row[0] for row in await sql.fetch(WHOLE)]
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit") == len(keys)
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == len(keys)
    assert await sql.fetchval("SELECT count(*) FROM incident_lexical") == len(keys)
    return keys


async def refuse_name(sql: asyncpg.Connection, name: str, body: str) -> None:
    """Has PostgreSQL do something before it stores the audit of this name."""
    await sql.execute(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.name = '{name}' THEN {body}; END IF; RETURN NEW; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON remediation_audit FOR EACH ROW EXECUTE FUNCTION refuse();
        """
    )


async def test_many_creates_share_few_transactions(deps: Dependencies, sql: asyncpg.Connection) -> None:
    keys = [f"rr-{number:02}" for number in range(WRITERS)]

    written = await asyncio.gather(*(store(deps, key, error_message=f"fault of {key}") for key in keys))

    assert [each.record.remediation_request_id for each in written] == keys
    assert await whole(sql) == keys
    transactions = await sql.fetchval("SELECT count(DISTINCT transaction_id::text) FROM remediation_event")
    assert transactions <= WRITERS // 4


async def test_what_postgresql_refuses_of_one_is_that_ones_outcome_only(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await refuse_name(sql, "bad", "RAISE EXCEPTION 'out of range' USING ERRCODE = '22003'")
    keys = [f"rr-{number:02}" for number in range(WRITERS)]

    outcomes = await asyncio.gather(
        *(store(deps, key, name="bad" if key == "rr-20" else "good") for key in keys), return_exceptions=True
    )

    assert isinstance(outcomes[20], DBAPIError)
    assert [outcome.receipt.replayed for outcome in outcomes if outcome is not outcomes[20]] == [False] * 39
    assert await whole(sql) == [key for key in keys if key != "rr-20"]


async def test_a_connection_that_breaks_leaves_nothing_half_written_and_the_next_write_stands(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(deps, "rr-00")
    await refuse_name(sql, "bad", "PERFORM pg_terminate_backend(pg_backend_pid())")
    keys = [f"rr-{number:02}" for number in range(1, WRITERS)]

    outcomes = await asyncio.gather(
        *(store(deps, key, name="bad" if key == "rr-20" else "good") for key in keys), return_exceptions=True
    )
    stands = ["rr-00", *(key for key, outcome in zip(keys, outcomes, strict=True) if not failed(outcome))]
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes if failed(outcome))
    assert failed(outcomes[19])
    assert await whole(sql) == stands

    await sql.execute("DROP TRIGGER refuse ON remediation_audit")
    await asyncio.gather(*(store(deps, key, name="bad" if key == "rr-20" else "good") for key in keys))
    assert await whole(sql) == ["rr-00", *keys]


async def test_of_two_creates_of_one_key_at_once_one_stands_and_the_other_is_compared_with_it(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    same, other = remediation_row()["severity"], "low"
    results = await asyncio.gather(
        *(store(deps, "rr-1", severity=severity) for severity in (same, same, other)), return_exceptions=True
    )

    assert [results[0].receipt.replayed, results[1].receipt.replayed] == [False, True]
    assert isinstance(results[2], RecordConflict)
    assert results[2].fields == ("severity",)
    assert await whole(sql) == ["rr-1"]


@pytest.mark.parametrize("cancelled", [range(0, WRITERS, 2), range(WRITERS)])
async def test_callers_who_are_gone_leave_whole_records_or_none(
    deps: Dependencies, sql: asyncpg.Connection, cancelled: range
) -> None:
    writes = [asyncio.create_task(store(deps, f"rr-{number:02}")) for number in range(WRITERS)]
    while not deps.writes.busy:  # noqa: ASYNC110 -- until the first group begins
        await asyncio.sleep(0)
    for number in cancelled:
        writes[number].cancel()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    await deps.writes.close()

    acknowledged = {f"rr-{n:02}" for n, outcome in enumerate(outcomes) if not failed(outcome)}
    assert acknowledged <= set(await whole(sql))
    assert {f"rr-{n:02}" for n in range(WRITERS) if n not in cancelled} <= acknowledged


def failed(outcome: object) -> bool:
    return isinstance(outcome, BaseException)
