"""The tables defend themselves: a bad row written by plain SQL, past all validation, is refused by name."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import URL

from support.postgres import administrator, cloned

AUDIT = {
    "remediation_request_id": "'rr-1'",
    "name": "'oom'",
    "namespace": "'payments'",
    "phase": "'completed'",
    "status": "'success'",
    "action_type": "'restart_pod'",
    "start_time": "'2026-01-01T12:00Z'",
    "end_time": "'2026-01-01T12:01Z'",
    "duration_ms": "60000",
    "alert_fingerprint": "'fp'",
    "severity": "'high'",
    "environment": "'production'",
    "cluster_name": "'eu-1'",
    "target_resource": "'Pod/a'",
    "target_kind": "'Pod'",
    "target_name": "'a'",
    "content_hash": "sha256('text')",
}
EVENT = {
    "remediation_request_id": "'rr-1'",
    "subject_kind": "'remediation'",
    "subject_key": "'rr-1'",
    "version": "1",
    "kind": "'created'",
    "actor": "'someone'",
}
EMBEDDING = {
    "content_hash": "sha256('text')",
    "model": "'wordllama-l2-supercat-256'",
    "vector": "array_fill(0.1, ARRAY[256])::halfvec",
}
OUTBOX = {
    "kind": "'embed'",
    "model": "'wordllama-l2-supercat-256'",
    "content_hash": "sha256('text')",
}
COMPATIBILITY = {"revision": "'0005'", "oldest_release": "'0.2.0'"}
ANALYSIS = {
    "analysis_id": "'an-1'",
    "remediation_request_id": "'rr-1'",
    "provider": "'anthropic'",
    "model": "'claude'",
    "confidence_score": "0.5",
    "tokens_used": "10",
    "analysis_duration_ms": "20",
}
WORKFLOW = {
    "workflow_id": "'wf-1'",
    "remediation_request_id": "'rr-1'",
    "phase": "'executing'",
    "total_steps": "3",
    "completed_steps": "1",
    "start_time": "'2026-01-01T12:00Z'",
}
EXECUTION = {
    "execution_id": "'ex-1'",
    "workflow_id": "'wf-1'",
    "action_type": "'restart_pod'",
    "target_resource": "'Pod/a'",
    "target_kind": "'Pod'",
    "target_name": "'a'",
    "success": "true",
    "start_time": "'2026-01-01T12:00Z'",
    "execution_time_ms": "5",
}
TERM_STATISTICS = {
    "id": "1",
    "documents": "10",
    "audit_id_max": "10",
    "terms": "'\\x01000000'",
    "frequencies": "'\\x02000000'",
}
API_KEY = {"name": "'agent'", "prefix": "'aaaaaaaaaa'", "secret_hash": "sha256('a')", "role": "'reader'"}
ACCESS = {"outcome": "'denied'"}
ROWS = {
    "api_key": API_KEY,
    "access_audit": ACCESS,
    "term_statistics": TERM_STATISTICS,
    "ai_analysis_audit": ANALYSIS,
    "workflow_audit": WORKFLOW,
    "execution_audit": EXECUTION,
    "remediation_audit": AUDIT,
    "remediation_event": EVENT,
    "incident_embedding": EMBEDDING,
    "outbox": OUTBOX,
    "schema_compatibility": COMPATIBILITY,
}
# What each CHECK refuses: the good row with these columns changed.
OUTSIDE = [
    ("api_key", {"role": "'owner'"}, "role"),
    ("api_key", {"role": "NULL"}, "rights"),
    ("api_key", {"rights": "'{read}'"}, "rights"),
    ("api_key", {"secret_hash": "'short'"}, "secret_hash"),
    ("access_audit", {"outcome": "'perhaps'"}, "outcome"),
    ("access_audit", {"times": "0"}, "times"),
    ("remediation_audit", {"phase": "'done'"}, "phase"),
    ("remediation_audit", {"phase": "'COMPLETED'"}, "phase"),
    ("remediation_audit", {"status": "'unknown'"}, "status"),
    ("remediation_audit", {"severity": "'fatal'"}, "severity"),
    ("remediation_audit", {"version": "0"}, "version"),
    ("remediation_audit", {"end_time": "'2026-01-01T11:59:59.999999Z'"}, "end_time"),
    ("remediation_audit", {"duration_ms": "NULL"}, "duration_ms"),
    ("remediation_audit", {"end_time": "NULL"}, "duration_ms"),
    ("remediation_audit", {"duration_ms": "-1"}, "duration_ms"),
    ("remediation_audit", {"content_hash": "'short'"}, "content_hash"),
    ("remediation_audit", {"metadata": "'[]'"}, "metadata"),
    ("remediation_audit", {"metadata": "'null'"}, "metadata"),
    ("remediation_audit", {"action_parameters": "'\"text\"'"}, "action_parameters"),
    ("remediation_audit", {"error_message": "repeat('é', 5121)"}, "error_message_size"),
    ("remediation_audit", {"resolution": "repeat('x', 10241)"}, "resolution_size"),
    ("remediation_event", {"subject_kind": "'incident'"}, "subject_kind"),
    ("remediation_event", {"kind": "'forgotten'"}, "kind"),
    ("incident_embedding", {"content_hash": "'short'"}, "content_hash"),
    ("incident_embedding", {"vector": "'[1,0,0]'"}, "default_dimensions"),
    ("outbox", {"kind": "'forget'"}, "kind"),
    ("outbox", {"content_hash": "'short'"}, "content_hash"),
    ("outbox", {"attempts": "-1"}, "attempts"),
    ("outbox", {"parked_at": "now()"}, "parked_at"),
    ("outbox", {"fault": "'refused'"}, "parked_at"),
    ("ai_analysis_audit", {"confidence_score": "1.01"}, "confidence_score"),
    ("ai_analysis_audit", {"confidence_score": "'NaN'"}, "confidence_score"),
    ("ai_analysis_audit", {"tokens_used": "-1"}, "tokens_used"),
    ("ai_analysis_audit", {"analysis_duration_ms": "-1"}, "analysis_duration_ms"),
    ("ai_analysis_audit", {"root_cause": "repeat('x', 10241)"}, "root_cause_size"),
    ("ai_analysis_audit", {"recommended_action": "repeat('x', 10241)"}, "recommended_action_size"),
    ("ai_analysis_audit", {"metadata": "'[]'"}, "metadata"),
    ("workflow_audit", {"phase": "'pending'"}, "phase"),
    ("workflow_audit", {"version": "0"}, "version"),
    ("workflow_audit", {"completed_steps": "4"}, "completed_steps"),
    ("workflow_audit", {"completed_steps": "-1"}, "completed_steps"),
    ("workflow_audit", {"end_time": "'2026-01-01T11:59Z'"}, "end_time"),
    ("workflow_audit", {"metadata": "'[]'"}, "metadata"),
    ("term_statistics", {"id": "2"}, "one_row"),
    ("term_statistics", {"terms": "''"}, "frequencies"),
    ("execution_audit", {"execution_time_ms": "-1"}, "execution_time_ms"),
    ("execution_audit", {"end_time": "'2026-01-01T11:59Z'"}, "end_time"),
    ("execution_audit", {"error_message": "repeat('x', 10241)"}, "error_message_size"),
    ("execution_audit", {"metadata": "'[]'"}, "metadata"),
]


@pytest.fixture(scope="module")
async def shared_url(server_url: URL, template: str) -> AsyncIterator[URL]:
    """One database for all of these tests: each leaves it as it was."""
    async with cloned(server_url, template) as url:
        yield url


@pytest.fixture
async def rolled_back(shared_url: URL) -> AsyncIterator[asyncpg.Connection]:
    """A connection in a transaction that never commits."""
    async with administrator(shared_url) as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield connection
        await transaction.rollback()


def insert(table: str, values: Mapping[str, str]) -> str:
    """An INSERT whose values are SQL expressions."""
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"  # noqa: S608


@pytest.mark.parametrize("table", ROWS)
async def test_the_good_row_is_taken(rolled_back: asyncpg.Connection, table: str) -> None:
    assert await rolled_back.execute(insert(table, ROWS[table])) == "INSERT 0 1"


@pytest.mark.parametrize(("table", "changed", "constraint"), OUTSIDE)
async def test_a_value_outside_its_set_or_range_is_refused(
    rolled_back: asyncpg.Connection, table: str, changed: dict[str, str], constraint: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await rolled_back.execute(insert(table, ROWS[table] | changed))

    assert refused.value.constraint_name == f"ck_{table}_{constraint}"


async def test_every_check_is_tried(rolled_back: asyncpg.Connection) -> None:
    names = await rolled_back.fetch(
        "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )

    assert {row[0] for row in names} == {f"ck_{table}_{constraint}" for table, _, constraint in OUTSIDE}


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("remediation_audit", {"end_time": "start_time", "duration_ms": "0"}),
        ("remediation_audit", {"end_time": "NULL", "duration_ms": "NULL"}),
        ("remediation_audit", {"error_message": "repeat('é', 5120)", "resolution": "repeat('x', 10240)"}),
        ("remediation_audit", {"name": "repeat('é', 255)", "target_resource": "repeat('é', 512)"}),
        ("remediation_audit", {"start_time": "'2999-01-01Z'", "end_time": "'2999-01-01T00:01Z'"}),
        ("incident_embedding", {"model": "'another'", "vector": "'[1,0,0]'"}),
    ],
)
async def test_a_value_on_the_border_is_taken(
    rolled_back: asyncpg.Connection, table: str, changed: dict[str, str]
) -> None:
    values = ROWS[table] | changed
    values = {
        name: values["start_time"] if value == "start_time" else value for name, value in values.items()
    }

    assert await rolled_back.execute(insert(table, values)) == "INSERT 0 1"


@pytest.mark.parametrize(
    ("table", "column", "characters"),
    [
        *(
            ("remediation_audit", column, 255)
            for column in (
                "remediation_request_id",
                "name",
                "namespace",
                "alert_fingerprint",
                "cluster_name",
            )
        ),
        ("remediation_audit", "action_type", 100),
        ("remediation_audit", "environment", 50),
        ("remediation_audit", "target_resource", 512),
        ("remediation_event", "subject_key", 255),
        ("remediation_event", "actor", 255),
        ("incident_embedding", "model", 255),
        ("outbox", "model", 255),
    ],
)
async def test_a_key_longer_than_its_column_is_refused(
    rolled_back: asyncpg.Connection, table: str, column: str, characters: int
) -> None:
    with pytest.raises(asyncpg.StringDataRightTruncationError):
        await rolled_back.execute(insert(table, ROWS[table] | {column: f"repeat('x', {characters + 1})"}))


async def test_every_column_that_must_be_there_refuses_null(rolled_back: asyncpg.Connection) -> None:
    required = {
        "remediation_audit": {*AUDIT} - {"end_time", "duration_ms"}
        | {"id", "version", "action_parameters", "metadata", "created_at", "updated_at"},
        "remediation_event": {*EVENT} - {"remediation_request_id"}
        | {"id", "transaction_id", "recorded_at", "changes"},
        "incident_embedding": {*EMBEDDING} | {"created_at"},
        "api_key": {*API_KEY} - {"role"} | {"id", "created_at"},
        "access_audit": {*ACCESS} | {"id", "recorded_at", "times"},
        "outbox": {*OUTBOX} | {"created_at", "not_before", "attempts"},
        "schema_compatibility": {*COMPATIBILITY} | {"recorded_at"},
        "term_statistics": {*TERM_STATISTICS} | {"refreshed_at"},
        "ai_analysis_audit": {*ANALYSIS} | {"id", "metadata", "created_at"},
        "workflow_audit": {*WORKFLOW} | {"id", "version", "metadata", "created_at", "updated_at"},
        "execution_audit": {*EXECUTION} | {"id", "metadata", "created_at"},
    }

    refusing: dict[str, set[str]] = {table: set() for table in ROWS}
    for table, row in ROWS.items():
        for column in await columns(rolled_back, table):
            if await refuses_null(rolled_back, table, row | {column: "NULL"}, column):
                refusing[table].add(column)

    assert refusing == required


async def columns(connection: asyncpg.Connection, table: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
        table,
    )
    return [row[0] for row in rows]


async def refuses_null(
    connection: asyncpg.Connection, table: str, row: Mapping[str, str], column: str
) -> bool:
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        await connection.execute(insert(table, row))
    except asyncpg.NotNullViolationError as refused:
        return bool(refused.column_name == column)
    except asyncpg.CheckViolationError:
        return False  # an end without a duration: no null of its own is refused
    finally:
        await savepoint.rollback()
    return False


@pytest.mark.parametrize(
    ("table", "changed", "constraint"),
    [
        (
            "remediation_audit",
            {"namespace": "'other'", "cluster_name": "'other'"},
            "uq_remediation_audit_remediation_request_id",
        ),
        ("remediation_audit", {"id": "1", "remediation_request_id": "'rr-2'"}, "pk_remediation_audit"),
        ("remediation_event", {"kind": "'updated'"}, "uq_remediation_event_subject_version"),
        ("remediation_event", {"id": "1", "version": "2"}, "pk_remediation_event"),
        ("incident_embedding", {}, "pk_incident_embedding"),
        ("outbox", {}, "pk_outbox"),
        ("api_key", {}, "uq_api_key_prefix"),
        ("access_audit", {"id": "1"}, "pk_access_audit"),
        ("schema_compatibility", {"oldest_release": "'0.3.0'"}, "pk_schema_compatibility"),
    ],
)
async def test_a_second_row_of_the_same_key_is_refused(
    rolled_back: asyncpg.Connection, table: str, changed: dict[str, str], constraint: str
) -> None:
    first = ROWS[table] | ({"id": "1"} if "id" in changed else {})
    await rolled_back.execute(insert(table, first))

    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await rolled_back.execute(insert(table, first | changed))

    assert refused.value.constraint_name == constraint


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("remediation_audit", {"remediation_request_id": "'RR-1'"}),
        ("remediation_event", {"version": "2"}),
        ("remediation_event", {"subject_kind": "'analysis'"}),
        ("remediation_event", {"kind": "'feedback_recorded'"}),
        ("remediation_event", {"kind": "'deleted'"}),
        ("incident_embedding", {"content_hash": "sha256('other')"}),
        ("incident_embedding", {"model": "'another'"}),
    ],
)
async def test_a_row_of_another_key_stands_beside_the_first(
    rolled_back: asyncpg.Connection, table: str, changed: dict[str, str]
) -> None:
    await rolled_back.execute(insert(table, ROWS[table]))

    assert await rolled_back.execute(insert(table, ROWS[table] | changed)) == "INSERT 0 1"


async def test_what_is_left_out_gets_its_default(rolled_back: asyncpg.Connection) -> None:
    audit = await row_of(rolled_back, "remediation_audit", "version, action_parameters, metadata, created_at")
    event = await row_of(rolled_back, "remediation_event", "changes, transaction_id::text, recorded_at")
    now, transaction = await rolled_back.fetchrow("SELECT now(), pg_current_xact_id()::text")

    assert (audit["version"], audit["action_parameters"], audit["metadata"]) == (1, "{}", "{}")
    assert (event["changes"], event["transaction_id"]) == ("{}", transaction)
    # The clock's time, not the transaction's: later rows of one transaction are later.
    assert now < audit["created_at"] < event["recorded_at"]


async def row_of(connection: asyncpg.Connection, table: str, shown: str) -> Any:
    return await connection.fetchrow(f"{insert(table, ROWS[table])} RETURNING {shown}")


async def test_keys_are_ordered_by_their_bytes(rolled_back: asyncpg.Connection) -> None:
    for number, name in enumerate(["b", "a", "É", "B", "_"]):
        row = AUDIT | {"remediation_request_id": f"'{number}'", "namespace": f"'{name}'"}
        await rolled_back.execute(insert("remediation_audit", row))

    ordered = await rolled_back.fetch("SELECT namespace FROM remediation_audit ORDER BY namespace")

    assert [row[0] for row in ordered] == ["B", "_", "a", "b", "É"]
