"""The Python client against a started service: every method, both flavours."""

import inspect
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from datastorage.client import (
    ActionAdvice,
    AiAnalysisAuditFilter,
    AsyncDataStorage,
    CircuitName,
    CircuitState,
    Conflict,
    CreateAiAnalysisAuditInput,
    CreateExecutionAuditInput,
    CreateRemediationAuditInput,
    CreateRemediationAuditPayload,
    CreateWorkflowAuditInput,
    DataStorage,
    DataStorageError,
    EngineMode,
    EventKind,
    ExecutionAuditFilter,
    FaultReason,
    InvalidTransition,
    NotFound,
    OrderDirection,
    Phase,
    QueryFailed,
    RemediationAudit,
    RemediationAuditFilter,
    RemediationAuditOrder,
    RemediationAuditOrderField,
    RemediationGroupField,
    Severity,
    StringFilter,
    TimeBucket,
    TimeSeriesMetric,
    UpdateRemediationAuditInput,
    UpdateWorkflowAuditInput,
    UpsertRemediationAuditInput,
    ValidationFailed,
    ValidationOutcome,
    WorkflowAudit,
    WorkflowAuditFilter,
    WorkflowPhase,
)
from datastorage.client.generated import operations
from datastorage.client.operation import Operation
from support.service import Service

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
numbers = count(1)


@pytest.fixture
async def memory(service: Service) -> AsyncIterator[AsyncDataStorage]:
    async with AsyncDataStorage(service.url, actor="test-controller") as memory:
        yield memory


@pytest.fixture
def blocking(service: Service) -> Iterator[DataStorage]:
    with DataStorage(f"{service.url}/graphql") as memory:
        yield memory


@pytest.fixture
def request_id() -> str:
    """One that no other test uses; other ids of the same test begin with it."""
    return f"client-{next(numbers):03}"


def remediation(request_id: str, **fields: Any) -> CreateRemediationAuditInput:
    given = {
        "remediation_request_id": request_id,
        "name": "payment-api-oom",
        "namespace": "payments",
        "phase": Phase.PENDING,
        "action_type": "restart_pod",
        "start_time": NOON,
        "alert_fingerprint": request_id,
        "severity": Severity.HIGH,
        "environment": "production",
        "cluster_name": "prod-eu-1",
        "target_resource": "Deployment/payment-api",
    }
    return CreateRemediationAuditInput(**{**given, **fields})


def analysis(analysis_id: str, request_id: str) -> CreateAiAnalysisAuditInput:
    return CreateAiAnalysisAuditInput(
        analysis_id=analysis_id,
        remediation_request_id=request_id,
        provider="anthropic",
        model="claude",
        confidence_score=0.9,
        tokens_used=1200,
        analysis_duration_ms=3400,
    )


def workflow(workflow_id: str, request_id: str) -> CreateWorkflowAuditInput:
    return CreateWorkflowAuditInput(
        workflow_id=workflow_id,
        remediation_request_id=request_id,
        phase=WorkflowPhase.PLANNING,
        total_steps=3,
        completed_steps=0,
        start_time=NOON,
    )


def execution(execution_id: str, workflow_id: str) -> CreateExecutionAuditInput:
    return CreateExecutionAuditInput(
        execution_id=execution_id,
        workflow_id=workflow_id,
        action_type="restart_pod",
        target_resource="payments/Pod/payment-api-0",
        success=True,
        start_time=NOON,
        execution_time_ms=1500,
    )


def of(request_id: str) -> RemediationAuditFilter:
    """All remediations of one test."""
    return RemediationAuditFilter(remediation_request_id=StringFilter(starts_with=request_id))


def stored(outcomes: list[CreateRemediationAuditPayload | DataStorageError]) -> list[str]:
    """Ids of what was stored."""
    return [
        outcome.remediation_audit.remediation_request_id
        for outcome in outcomes
        if isinstance(outcome, CreateRemediationAuditPayload)
    ]


def test_every_operation_is_called_in_this_module() -> None:
    methods = {
        name.lower() for name, operation in vars(operations).items() if isinstance(operation, Operation)
    }
    called = set(re.findall(r"\.(\w+)\(", Path(__file__).read_text()))

    assert {name for name in methods if not name.endswith("_count")} <= called


def test_both_flavours_have_the_same_methods_with_the_same_parameters() -> None:
    def signatures(kind: type) -> dict[str, list[str]]:
        members = inspect.getmembers(kind, inspect.isfunction)
        public = {name.replace("aclose", "close"): each for name, each in members if name[0] != "_"}
        return {name: list(inspect.signature(each).parameters) for name, each in public.items()}

    assert signatures(AsyncDataStorage) == signatures(DataStorage)


async def test_a_remediation_is_stored_read_changed_and_found(
    memory: AsyncDataStorage, request_id: str
) -> None:
    given = remediation(request_id, metadata={"ticket": "OPS-1"})

    first = await memory.create_remediation_audit(given)
    again = await memory.create_remediation_audit(given)
    read = await memory.remediation_audit(request_id=request_id)
    changed = await memory.update_remediation_audit(
        UpdateRemediationAuditInput(request_id=request_id, phase=Phase.PROCESSING, expected_version=1)
    )

    assert (first.remediation_audit.phase, first.receipt.replayed) == (Phase.PENDING, False)
    assert again.receipt.replayed is True
    assert read == first.remediation_audit
    assert (read.start_time, read.metadata, read.target_name) == (NOON, {"ticket": "OPS-1"}, "payment-api")
    assert (changed.remediation_audit.phase, changed.remediation_audit.version) == (Phase.PROCESSING, 2)
    assert await memory.node(read.id) == changed.remediation_audit
    assert await memory.remediation_audit(request_id=f"{request_id}-other") is None


async def test_in_an_update_what_is_left_out_stays_and_none_clears(
    memory: AsyncDataStorage, request_id: str
) -> None:
    await memory.create_remediation_audit(
        remediation(request_id, error_message="OOM", resolution="more memory")
    )

    changed = await memory.update_remediation_audit(
        UpdateRemediationAuditInput(request_id=request_id, resolution=None)
    )

    assert (changed.remediation_audit.error_message, changed.remediation_audit.resolution) == ("OOM", None)


async def test_an_upsert_stores_and_then_changes(memory: AsyncDataStorage, request_id: str) -> None:
    given = remediation(request_id).model_dump(exclude_unset=True)

    first = await memory.upsert_remediation_audit(UpsertRemediationAuditInput(**given))
    given["phase"] = Phase.PROCESSING
    second = await memory.upsert_remediation_audit(UpsertRemediationAuditInput(**given))
    third = [each async for each in memory.upsert_remediation_audits([UpsertRemediationAuditInput(**given)])]

    assert (first.created, second.created) == (True, False)
    assert (second.remediation_audit.phase, second.remediation_audit.version) == (Phase.PROCESSING, 2)
    assert [each.receipt.replayed for each in third] == [True]


async def test_a_dry_run_tells_what_would_happen(memory: AsyncDataStorage, request_id: str) -> None:
    good = await memory.validate_remediation_audit(remediation(request_id))
    bad = await memory.validate_remediation_audit(remediation(request_id, name="   "))

    assert (good.valid, good.outcome, good.faults) == (True, ValidationOutcome.CREATED, [])
    assert [(fault.field, fault.reason) for fault in bad.faults] == [("name", FaultReason.WHITESPACE_ONLY)]
    assert await memory.remediation_audit(request_id=request_id) is None


async def test_feedback_is_recorded_once(memory: AsyncDataStorage, request_id: str) -> None:
    past = f"{request_id}-past"
    inputs = [remediation(request_id), remediation(past)]
    assert len(stored([outcome async for outcome in memory.create_remediation_audits(inputs)])) == 2

    first = await memory.record_feedback(request_id, past, helpful=True, note="same bucket")
    again = await memory.record_feedback(request_id, past, helpful=True, note="same bucket")

    assert first.event.kind is EventKind.FEEDBACK_RECORDED
    assert (first.receipt.replayed, again.receipt.replayed) == (False, True)


async def test_records_around_a_remediation_make_up_its_timeline(
    memory: AsyncDataStorage, request_id: str
) -> None:
    one, two, three = (f"{request_id}-{number}" for number in (1, 2, 3))
    made = await memory.create_workflow_audit(workflow(one, request_id))
    step = await memory.create_execution_audit(execution(one, one))
    thought = await memory.create_ai_analysis_audit(analysis(one, request_id))
    many = (
        [item async for item in memory.create_workflow_audits([workflow(two, request_id)])]
        + [
            item
            async for item in memory.create_execution_audits([execution(two, one), execution(three, one)])
        ]
        + [item async for item in memory.create_ai_analysis_audits([analysis(two, request_id)])]
    )
    moved = await memory.update_workflow_audit(
        UpdateWorkflowAuditInput(workflow_id=one, phase=WorkflowPhase.EXECUTING)
    )
    await memory.create_remediation_audit(remediation(request_id))

    timeline = await memory.remediation(request_id)

    assert [item.receipt.replayed for item in many] == [False] * 4
    assert timeline.audit.remediation_request_id == request_id
    assert {item.workflow_id for item in timeline.workflows.nodes} == {one, two}
    assert {item.execution_id for item in timeline.executions.nodes} == {one, two, three}
    assert {item.analysis_id for item in timeline.analyses.nodes} == {one, two}
    assert len(timeline.events.nodes) == 9
    assert timeline.events.page_info.has_next_page is False
    assert await memory.workflow_audit(workflow_id=one) == moved.workflow_audit
    assert await memory.execution_audit(execution_id=one) == step.execution_audit
    assert await memory.ai_analysis_audit(id=thought.ai_analysis_audit.id) == thought.ai_analysis_audit
    found = await memory.node(made.workflow_audit.id)
    assert isinstance(found, WorkflowAudit)
    assert found.phase is WorkflowPhase.EXECUTING


async def test_the_timeline_goes_back_in_time(memory: AsyncDataStorage, request_id: str) -> None:
    await memory.create_remediation_audit(remediation(request_id))

    assert await memory.remediation(request_id, as_of=NOON) is None


async def test_lists_of_each_kind_take_filters(memory: AsyncDataStorage, request_id: str) -> None:
    await memory.create_workflow_audit(workflow(request_id, request_id))
    await memory.create_execution_audit(execution(request_id, request_id))
    await memory.create_ai_analysis_audit(analysis(request_id, request_id))
    mine = StringFilter(in_=[request_id])

    flows = [each async for each in memory.workflow_audits(filter=WorkflowAuditFilter(workflow_id=mine))]
    steps = [each async for each in memory.execution_audits(filter=ExecutionAuditFilter(workflow_id=mine))]
    found = memory.ai_analysis_audits(
        filter=AiAnalysisAuditFilter(not_=AiAnalysisAuditFilter(analysis_id=mine))
    )

    assert [each.workflow_id for each in flows] == [request_id]
    assert [each.execution_id for each in steps] == [request_id]
    assert request_id not in [each.analysis_id async for each in found]


async def test_iterating_over_pages_yields_each_row_once_in_order(
    memory: AsyncDataStorage, request_id: str
) -> None:
    ids = [f"{request_id}-{number}" for number in range(7)]
    inputs = [remediation(each, start_time=NOON + timedelta(hours=place)) for place, each in enumerate(ids)]
    assert stored([outcome async for outcome in memory.create_remediation_audits(inputs)]) == ids
    newest_last = RemediationAuditOrder(
        field=RemediationAuditOrderField.START_TIME, direction=OrderDirection.ASC
    )

    for page_size in (1, 2, 3, 7, 100):
        listing = memory.remediation_audits(
            filter=of(request_id), order_by=[newest_last], page_size=page_size
        )
        assert [each.remediation_request_id async for each in listing] == ids
        assert [len(page.nodes) async for page in listing.pages()] == [
            min(page_size, 7 - start) for start in range(0, 7, page_size)
        ]


async def test_a_list_goes_on_after_a_cursor_and_counts_when_asked(
    memory: AsyncDataStorage, request_id: str
) -> None:
    inputs = [remediation(f"{request_id}-{number}") for number in range(5)]
    assert len(stored([outcome async for outcome in memory.create_remediation_audits(inputs)])) == 5
    listing = memory.remediation_audits(filter=of(request_id), page_size=2)
    everything = [each async for each in listing]

    async for page in listing.pages():
        cursor = page.page_info.end_cursor
        break
    rest = memory.remediation_audits(filter=of(request_id), page_size=2, after=cursor)

    assert [each async for each in rest] == everything[2:]
    assert (await listing.total_count(), await listing.total_count(cap=3)) == (5, 3)


async def test_what_never_ended_is_found(memory: AsyncDataStorage, request_id: str) -> None:
    await memory.create_remediation_audit(remediation(request_id))

    stale = memory.stale_remediations(NOON + timedelta(hours=1), filter=of(request_id))

    assert [each.remediation_request_id async for each in stale] == [request_id]


async def test_statistics_are_read(memory: AsyncDataStorage, request_id: str) -> None:
    ended = NOON + timedelta(minutes=1)
    await memory.create_remediation_audit(remediation(request_id, phase=Phase.COMPLETED, end_time=ended))
    mine = of(request_id)

    (stats,) = await memory.remediation_stats(filter=mine, group_by=[RemediationGroupField.NAMESPACE])
    (point,) = await memory.time_series(TimeSeriesMetric.COUNT, TimeBucket.DAY, filter=mine, from_=NOON)
    (facet,) = await memory.facets([RemediationGroupField.SEVERITY], filter=mine)

    assert (stats.count, stats.success_rate, stats.p50_duration_ms) == (1, 1.0, 60_000.0)
    assert [(key.field, key.value) for key in stats.keys] == [(RemediationGroupField.NAMESPACE, "payments")]
    assert (point.time, point.value) == (NOON.replace(hour=0), 1.0)
    assert [(value.value, value.count) for value in facet.values] == [("HIGH", 1)]


async def test_similar_incidents_are_found(memory: AsyncDataStorage, request_id: str) -> None:
    text = f"the quota of bucket {request_id} is exhausted"
    await memory.create_remediation_audit(remediation(request_id, error_message=text))

    similar = await memory.similar_incidents(text, filters=of(request_id), first=5)

    assert [hit.incident.remediation_request_id for hit in similar.hits] == [request_id]


async def test_any_document_can_be_executed(memory: AsyncDataStorage, request_id: str) -> None:
    await memory.create_remediation_audit(remediation(request_id))

    data = await memory.execute(
        "query Mine($id: String!) { remediationAudit(requestId: $id) { version } } query Other { __typename }",
        {"id": request_id},
        "Mine",
    )

    assert data == {"remediationAudit": {"version": 1}}


async def test_null_in_the_variables_of_any_document_is_sent(
    memory: AsyncDataStorage, request_id: str
) -> None:
    await memory.create_remediation_audit(remediation(request_id, resolution="more memory"))

    await memory.execute(
        'mutation Clear($id: String!, $text: String = "a default") {'
        "  updateRemediationAudit(input: {requestId: $id, resolution: $text}) { __typename } }",
        {"id": request_id, "text": None},
    )

    assert (await memory.remediation_audit(request_id=request_id)).resolution is None


async def test_the_actor_is_kept_with_the_event(memory: AsyncDataStorage, request_id: str) -> None:
    await memory.create_remediation_audit(remediation(request_id))

    timeline = await memory.remediation(request_id)

    assert [event.declared_actor for event in timeline.events.nodes] == ["test-controller"]


async def test_refused_input_raises_all_its_faults(memory: AsyncDataStorage, request_id: str) -> None:
    bad = remediation(request_id, name="   ", target_resource="payment-api")

    with pytest.raises(ValidationFailed) as refused:
        await memory.create_remediation_audit(bad)

    assert {(fault.field, fault.reason) for fault in refused.value.faults} == {
        ("name", FaultReason.WHITESPACE_ONLY),
        ("targetResource", FaultReason.INVALID),
    }
    assert (refused.value.code, refused.value.retryable) == ("VALIDATION", False)


async def test_input_that_does_not_fit_the_schema_raises_its_fault(
    memory: AsyncDataStorage, request_id: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        await memory.create_remediation_audit(remediation(request_id, severity="TERRIBLE"))

    assert [(fault.field, fault.reason) for fault in refused.value.faults] == [
        ("severity", FaultReason.INVALID)
    ]


async def test_other_content_under_the_same_key_raises_the_fields_that_differ(
    memory: AsyncDataStorage, request_id: str
) -> None:
    await memory.create_remediation_audit(remediation(request_id))

    with pytest.raises(Conflict) as refused:
        await memory.create_remediation_audit(remediation(request_id, environment="staging"))

    assert refused.value.fields == ("environment",)


async def test_an_unknown_record_and_an_impossible_move_raise(
    memory: AsyncDataStorage, request_id: str
) -> None:
    await memory.create_remediation_audit(remediation(request_id))

    with pytest.raises(NotFound):
        await memory.update_remediation_audit(
            UpdateRemediationAuditInput(request_id=f"{request_id}-other", phase=Phase.FAILED)
        )
    with pytest.raises(InvalidTransition) as refused:
        await memory.update_remediation_audit(
            UpdateRemediationAuditInput(request_id=request_id, phase=Phase.COMPLETED)
        )

    assert (refused.value.current_phase, refused.value.requested_phase) == ("PENDING", "COMPLETED")
    assert set(refused.value.allowed_phases) == {"PROCESSING", "FAILED"}


async def test_what_graphql_refuses_raises_its_code(memory: AsyncDataStorage) -> None:
    with pytest.raises(QueryFailed) as unknown:
        await memory.execute("{ noSuchField }")
    with pytest.raises(QueryFailed) as cursor:
        await anext(memory.remediation_audits(after="nonsense").pages())

    assert (unknown.value.code, cursor.value.code) == ("BAD_USER_INPUT", "BAD_CURSOR")


async def test_a_batch_of_1200_with_one_bad_item_stores_all_others(
    memory: AsyncDataStorage, request_id: str
) -> None:
    ids = [f"{request_id}-{number:04}" for number in range(1200)]
    inputs = [remediation(each, name="   ") if each == ids[700] else remediation(each) for each in ids]

    outcomes = [outcome async for outcome in memory.create_remediation_audits(inputs)]

    assert len(outcomes) == 1200
    assert isinstance(outcomes[700], ValidationFailed)
    assert stored(outcomes) == [each for each in ids if each != ids[700]]
    assert await memory.remediation_audits(filter=of(request_id)).total_count() == 1199


async def test_items_of_a_batch_that_do_not_fit_the_schema_spoil_no_others(
    memory: AsyncDataStorage, request_id: str
) -> None:
    ids = [f"{request_id}-{number}" for number in range(9)]
    misfits = {ids[2], ids[3], ids[8]}
    inputs = [remediation(each, severity="TERRIBLE" if each in misfits else "LOW") for each in ids]

    outcomes = [outcome async for outcome in memory.create_remediation_audits(inputs)]

    assert [place for place, outcome in enumerate(outcomes) if isinstance(outcome, ValidationFailed)] == [
        2,
        3,
        8,
    ]
    assert stored(outcomes) == [each for each in ids if each not in misfits]


async def test_an_atomic_batch_stores_nothing_when_one_item_is_bad(
    memory: AsyncDataStorage, request_id: str
) -> None:
    inputs = [remediation(f"{request_id}-1"), remediation(f"{request_id}-2", name="   ")]

    first, second = [outcome async for outcome in memory.create_remediation_audits(inputs, atomic=True)]

    assert isinstance(first, Conflict)
    assert isinstance(second, ValidationFailed)
    assert await memory.remediation_audits(filter=of(request_id)).total_count() == 0


def test_without_asyncio_a_remediation_is_stored_read_and_found(
    blocking: DataStorage, request_id: str
) -> None:
    made = blocking.create_remediation_audit(remediation(request_id))

    assert blocking.remediation_audit(id=made.remediation_audit.id) == made.remediation_audit
    assert blocking.node(made.remediation_audit.id) == made.remediation_audit
    assert list(blocking.remediation_audits(filter=of(request_id))) == [made.remediation_audit]
    with pytest.raises(Conflict):
        blocking.create_remediation_audit(remediation(request_id, environment="staging"))


def test_without_asyncio_batches_are_stored_and_pages_walked(blocking: DataStorage, request_id: str) -> None:
    ids = [f"{request_id}-{number:03}" for number in range(510)]
    inputs = (remediation(each, severity="TERRIBLE" if each == ids[77] else "LOW") for each in ids)

    outcomes = list(blocking.create_remediation_audits(inputs))
    listing = blocking.remediation_audits(filter=of(request_id))
    found: list[RemediationAudit] = list(listing)

    assert isinstance(outcomes.pop(77), ValidationFailed)
    ids.pop(77)
    assert stored(outcomes) == ids
    assert sorted(each.remediation_request_id for each in found) == ids
    assert [len(page.nodes) for page in listing.pages()] == [100] * 5 + [9]
    assert listing.total_count() == 509


async def test_an_agent_asks_what_helped_and_whether_it_may_act(
    memory: AsyncDataStorage, request_id: str
) -> None:
    text = "quorum of the consensus store is lost"
    tried = await memory.create_remediation_audit(
        remediation(request_id, error_message=text, phase=Phase.COMPLETED)
    )

    advice = await memory.recommended_actions(text=text, filters=of(request_id))
    guard = await memory.action_guard(
        tried.remediation_audit.action_type,
        tried.remediation_audit.target_resource,
        except_request_id=request_id,
    )

    (action,) = advice.actions
    assert (action.action_type, action.success_count) == (tried.remediation_audit.action_type, 1)
    assert guard.advice in set(ActionAdvice)


async def test_an_administrator_reads_who_was_denied(memory: AsyncDataStorage) -> None:
    assert [entry async for entry in memory.access_audit()] == []


async def test_an_administrator_asks_how_the_system_stands(memory: AsyncDataStorage) -> None:
    status = await memory.system_status()

    assert (status.mode, status.database_up) == (EngineMode.SINGLE, True)
    assert status.vector_engine.configured is False
    assert {(circuit.name, circuit.state) for circuit in status.circuits} == {
        (name, CircuitState.CLOSED) for name in CircuitName
    }
