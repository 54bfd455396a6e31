"""What a delete takes away, what it leaves, and what it does beside a running service."""

import asyncio
from typing import Any

import asyncpg
import pytest

from datastorage.domain.caller import ANONYMOUS, OPERATOR, Caller, Right, Scope
from datastorage.domain.enums import Phase, SubjectKind
from datastorage.domain.filters import EVERYTHING, AllOf, Condition, Filter, Operator
from datastorage.domain.kinds import KINDS
from datastorage.domain.names import snake
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.errors import Forbidden, InvalidInput
from datastorage.limits import DELETE_BATCH_REQUESTS, FILTER_VALUES_MAX
from datastorage.services.delete_remediations import count_to_delete, delete_remediations
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import (
    RecordKey,
    count_records,
    create_record,
    create_records,
    update_record,
)
from support.around import ANALYSIS, EXECUTION, WORKFLOW, around
from support.records import remediation_row

BY_TYPE = {kind.type_name: kind for kind in KINDS}
TABLES = {
    SubjectKind.REMEDIATION: "remediation_audit",
    SubjectKind.ANALYSIS: "ai_analysis_audit",
    SubjectKind.WORKFLOW: "workflow_audit",
    SubjectKind.EXECUTION: "execution_audit",
}


async def store(deps: Dependencies, type_name: str, valid: dict[str, Any], **fields: Any) -> None:
    row = {snake(name): value for name, value in around(valid, **fields).items()}
    await create_record(deps, OPERATOR, BY_TYPE[type_name], row)


async def store_timeline(deps: Dependencies, key: str, **fields: Any) -> None:
    """A remediation, and one of everything around it; its step is known through the workflow only."""
    row = remediation_row(remediation_request_id=key, **fields)
    await create_record(deps, OPERATOR, REMEDIATION, row)
    cause = {"rootCause": f"what happened to {key} was said here"}
    await store(deps, "AiAnalysisAudit", ANALYSIS, analysisId=f"{key}-an", remediationRequestId=key, **cause)
    await store(deps, "WorkflowAudit", WORKFLOW, workflowId=f"{key}-wf", remediationRequestId=key)
    await store(deps, "ExecutionAudit", EXECUTION, executionId=f"{key}-ex", workflowId=f"{key}-wf")


async def deleted(
    deps: Dependencies, selection: Selection, caller: Caller = OPERATOR
) -> list[dict[str, int]]:
    """How many of each kind went with each batch."""
    return [
        {kind.value: count for kind, count in counts.items() if count}
        async for counts in delete_remediations(deps, caller, selection)
    ]


async def counted(sql: asyncpg.Connection) -> dict[str, int]:
    return {
        kind.value: await sql.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 -- our tables
        for kind, table in TABLES.items()
    }


def requests(*keys: str) -> Selection:
    return Selection(request_ids=keys)


ONE_OF_EACH = {"remediation": 1, "analysis": 1, "workflow": 1, "execution": 1}


async def test_a_remediation_goes_with_all_around_it_and_one_event_of_each_stays(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    # given
    for key in ("rr-1", "rr-2"):
        await store_timeline(deps, key)
    await update_record(deps, OPERATOR, REMEDIATION, RecordKey(key="rr-1"), {"phase": "processing"})
    await sql.execute(
        "INSERT INTO remediation_event (remediation_request_id, subject_kind, subject_key, version, kind, actor, "
        "changes) VALUES ('rr-1', 'remediation', 'rr-1', 2, 'feedback_recorded', 'sre', '{\"note\": \"no\"}')"
    )

    # when
    gone = await deleted(deps, requests("rr-1"))

    # then
    assert gone == [ONE_OF_EACH]
    assert await counted(sql) == ONE_OF_EACH
    events = await sql.fetch(
        "SELECT subject_kind, subject_key, version, kind, actor, namespace, cluster_name, remediation_request_id, "
        "changes FROM remediation_event WHERE subject_key LIKE 'rr-1%' ORDER BY id"
    )
    assert [tuple(event) for event in events] == [
        ("remediation", "rr-1", 2, "deleted", "operator", "payments", "prod-eu-1", "rr-1", "{}"),
        ("analysis", "rr-1-an", 1, "deleted", "operator", None, None, "rr-1", "{}"),
        ("workflow", "rr-1-wf", 1, "deleted", "operator", None, None, "rr-1", "{}"),
        ("execution", "rr-1-ex", 1, "deleted", "operator", None, None, None, "{}"),
    ]
    assert await sql.fetchval("SELECT count(*) FROM remediation_event WHERE subject_key LIKE 'rr-2%'") == 4
    assert await sql.fetchval("SELECT count(*) FROM incident_lexical") == 1


async def test_nothing_of_what_was_said_stays_in_any_table(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    said = "the one word that nothing else holds is xylophone"
    await store_timeline(deps, "rr-1", error_message=said, metadata={"summary": said})

    await deleted(deps, requests("rr-1"))

    tables = await sql.fetch("SELECT relname FROM pg_stat_user_tables")
    for (table,) in tables:
        rows = await sql.fetchval(f"SELECT string_agg(t::text, ' ') FROM {table} t")  # noqa: S608 -- our tables
        assert "xylophone" not in (rows or "")
        assert "was said here" not in (rows or "")
    assert await sql.fetchval("SELECT count(*) FROM incident_lexical") == 0
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 0  # nor of its earlier texts


async def test_what_names_a_remediation_that_never_arrived_goes_by_its_request_id(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await store(deps, "AiAnalysisAudit", ANALYSIS, rootCause="a fuse")
    await store(deps, "WorkflowAudit", WORKFLOW)
    await store(deps, "ExecutionAudit", EXECUTION)
    await store(deps, "ExecutionAudit", EXECUTION, executionId="ex-2", workflowId="wf-of-others")

    count = await count_to_delete(deps, OPERATOR, requests("rr-1"))
    gone = await deleted(deps, requests("rr-1"))

    expected = {"analysis": 1, "workflow": 1, "execution": 1}
    assert gone == [expected]
    assert {kind.value: number for kind, number in count.items() if number} == expected
    assert await sql.fetchval("SELECT execution_id FROM execution_audit") == "ex-2"


async def test_the_root_causes_of_a_deleted_analysis_are_forgotten_when_the_remediation_arrives(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    await create_record(deps, OPERATOR, REMEDIATION, remediation_row(remediation_request_id="without"))
    await store(deps, "AiAnalysisAudit", ANALYSIS, rootCause="the certificate has expired")
    await deleted(deps, requests("rr-1"))

    await create_record(deps, OPERATOR, REMEDIATION, remediation_row())

    assert await sql.fetchval("SELECT count(DISTINCT content_hash) FROM remediation_audit") == 1


async def test_by_filter_only_what_it_leaves_goes_in_batches(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    rows = [
        remediation_row(remediation_request_id=f"rr-{number}", phase="failed")
        for number in range(2 * DELETE_BATCH_REQUESTS + 1)
    ]
    await create_records(deps, OPERATOR, REMEDIATION, rows)
    await store_timeline(deps, "stays")
    await store_timeline(deps, "goes", phase="failed")
    await store(deps, "AiAnalysisAudit", ANALYSIS, analysisId="alone", remediationRequestId="never-arrived")
    failed = Selection(around=Condition("phase", Operator.EQ, Phase.FAILED))

    count = await count_to_delete(deps, OPERATOR, failed)
    gone = await deleted(deps, failed)

    assert gone == [
        {"remediation": DELETE_BATCH_REQUESTS},
        {"remediation": DELETE_BATCH_REQUESTS},
        {"remediation": 2, "analysis": 1, "workflow": 1, "execution": 1},
    ]
    assert {kind.value: number for kind, number in count.items()} == {
        "remediation": 2 * DELETE_BATCH_REQUESTS + 2, "analysis": 1, "workflow": 1, "execution": 1
    }  # fmt: skip
    assert await counted(sql) == {"remediation": 1, "analysis": 2, "workflow": 1, "execution": 1}
    assert await deleted(deps, failed) == []


async def test_a_remediation_that_moves_on_while_it_is_selected_stays_with_all_around_it(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    # given
    await store_timeline(deps, "rr-1", phase="failed")
    failed = Selection(around=Condition("phase", Operator.EQ, Phase.FAILED))

    # when
    async with sql.transaction():  # a retry that has not been committed while the delete chooses
        await sql.execute("UPDATE remediation_audit SET phase = 'processing'")
        deleting = asyncio.create_task(deleted(deps, failed))
        while not await sql.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert not deleting.done()
            await asyncio.sleep(0.01)
    gone = await deleting

    # then
    assert gone == [{}]
    assert await counted(sql) == ONE_OF_EACH
    assert await sql.fetchval("SELECT count(*) FROM remediation_event WHERE kind = 'deleted'") == 0


async def test_a_deleted_record_can_be_stored_again_and_deleted_again(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    for _ in range(2):
        await store_timeline(deps, "rr-1")
        assert await deleted(deps, requests("rr-1", "rr-1", "rr-2")) == [ONE_OF_EACH]

    kinds = await sql.fetch("SELECT DISTINCT kind FROM remediation_event")
    assert [tuple(row) for row in kinds] == [("deleted",)]
    assert await deleted(deps, requests("rr-1")) == [{}]


@pytest.mark.parametrize(
    "caller",
    [
        Caller("writer", frozenset({Right.READ, Right.WRITE})),
        Caller("admin of shop", frozenset(Right), Scope(namespaces=frozenset({"shop"}))),
    ],
)
async def test_only_an_administrator_of_everything_may_delete(
    deps: Dependencies, sql: asyncpg.Connection, caller: Caller
) -> None:
    await store_timeline(deps, "rr-1", namespace="shop")

    with pytest.raises(Forbidden):
        await deleted(deps, requests("rr-1"), caller)
    with pytest.raises(Forbidden):
        await count_to_delete(deps, caller, requests("rr-1"))

    assert await counted(sql) == ONE_OF_EACH


async def test_a_filter_beyond_its_bounds_is_refused(deps: Dependencies) -> None:
    too_long: Filter = Condition("name", Operator.IN, ("x",) * (FILTER_VALUES_MAX + 1))

    with pytest.raises(InvalidInput, match="more than 500 values"):
        await deleted(deps, Selection(around=too_long))


@pytest.mark.parametrize("more", [{}, {"request_ids": ("rr-1",)}])
async def test_what_only_an_export_can_mean_is_refused_before_anything_goes(
    deps: Dependencies, sql: asyncpg.Connection, more: dict[str, Any]
) -> None:
    await store_timeline(deps, "rr-1")
    own = {SubjectKind.ANALYSIS: Condition("provider", Operator.EQ, "nobody")}

    for use in (deleted, lambda deps, selection: count_to_delete(deps, OPERATOR, selection)):
        with pytest.raises(InvalidInput, match="own: a delete takes request ids or a filter of remediations"):
            await use(deps, Selection(own=own, **more))

    assert await counted(sql) == ONE_OF_EACH


async def test_the_statements_of_a_batch_do_not_grow_with_it(deps: Dependencies, statements: Any) -> None:
    for number in range(4):
        await store_timeline(deps, f"rr-{number}")
    await deleted(deps, requests("nobody"))  # takes the vectors of their earlier texts

    with statements.counted() as of_one:
        await deleted(deps, requests("rr-0"))
        one = len(of_one)
    with statements.counted() as of_three:
        await deleted(deps, requests("rr-1", "rr-2", "rr-3"))

    assert len(of_three) == one


@pytest.mark.parametrize("where", [EVERYTHING, AllOf((AllOf(()),))])
async def test_a_filter_that_asks_for_nothing_deletes_nothing(deps: Dependencies, where: Filter) -> None:
    await create_record(deps, ANONYMOUS, REMEDIATION, remediation_row())

    with pytest.raises(InvalidInput, match="would delete everything"):
        [_ async for _ in delete_remediations(deps, OPERATOR, Selection(around=where))]

    assert await count_records(deps, OPERATOR, REMEDIATION, EVERYTHING, None) == 1
