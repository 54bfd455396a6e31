"""What is exported and imported again is the same, whatever the texts hold."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.engine import URL

from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import Phase, Severity, Status, SubjectKind, WorkflowPhase
from datastorage.domain.filters import Condition, Filter, Operator
from datastorage.domain.json_record import KIND_OF
from datastorage.domain.kinds import KINDS
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.errors import InvalidInput
from datastorage.limits import FILTER_VALUES_MAX
from datastorage.services.dependencies import Dependencies
from datastorage.services.export_records import export
from datastorage.services.import_records import BatchDone, Line, import_records
from datastorage.services.records import RecordKey, create_record, update_record
from support.api import services_from_sync_tests
from support.around import ANALYSIS, EXECUTION, WORKFLOW
from support.records import VALID, remediation_row

TABLES = ("remediation_audit", "ai_analysis_audit", "workflow_audit", "execution_audit")
Services = tuple[BlockingPortal, Dependencies]
ODD = (
    "\x00",
    "\u2028",
    "\r\n",
    "\t",
    '"',
    "\\",
    "password=hunter2",
    "",
    "🙂",
    "[REDACTED:",
    "\x7f",
)

texts = st.lists(st.sampled_from(ODD) | st.text(max_size=20), max_size=6).map("".join)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(texts, json_values, max_size=4)
moments = st.builds(
    lambda year, rest: f"{year:04}-{rest}+02:00", st.integers(2, 9997), st.just("02-28T23:59:59")
) | st.just("2026-01-01T00:00:00.000001Z")
optional_text = st.none() | texts
optional_name = st.sampled_from([None, "payments", "a.b-c"])
optional_end = st.sampled_from([None, "9998-12-31T23:59:59.999999Z"])


def record(
    kind: str, valid: dict[str, Any], **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """A valid record with these fields varied."""
    return st.fixed_dictionaries(fields).map(lambda varied: {"record": kind, **valid, **varied})


RECORDS = st.tuples(
    record(
        "remediationAudit",
        VALID,
        phase=st.sampled_from(Phase),
        status=st.sampled_from([None, *Status]),
        severity=st.sampled_from([severity.name for severity in Severity]),
        environment=st.sampled_from(["Production", "a-1"]),
        targetResource=st.sampled_from(["Pod/x", "ns/Pod/x"]),
        startTime=moments,
        endTime=optional_end,
        actionParameters=st.none() | json_objects,
        metadata=json_objects,
        errorMessage=optional_text,
        resolution=optional_text,
    ),
    record(
        "aiAnalysisAudit",
        ANALYSIS,
        confidenceScore=st.floats(0, 1),
        tokensUsed=st.integers(0, 2**31 - 1),
        analysisDurationMs=st.integers(0, 2**63 - 1),
        rootCause=optional_text,
        recommendedAction=optional_text,
        namespace=optional_name,
        metadata=json_objects,
    ),
    record(
        "workflowAudit",
        WORKFLOW,
        phase=st.sampled_from(WorkflowPhase),
        startTime=moments,
        endTime=optional_end,
        clusterName=optional_name,
        metadata=json_objects,
    ),
    record(
        "executionAudit",
        EXECUTION,
        remediationRequestId=st.sampled_from([None, "rr-1", "rr:other/1"]),
        success=st.booleans(),
        startTime=moments,
        errorMessage=optional_text,
        metadata=st.none() | json_objects,
    ),
)


@pytest.fixture(scope="module")
def source(server_url: URL, template: str) -> Iterator[Services]:
    with services_from_sync_tests(server_url, template) as opened:
        yield opened


@pytest.fixture(scope="module")
def target(server_url: URL, template: str) -> Iterator[Services]:
    with services_from_sync_tests(server_url, template) as opened:
        yield opened


def imported(services: Services, lines: list[bytes]) -> BatchDone:
    portal, deps = services

    async def run() -> BatchDone:
        numbered = (Line(number, line) for number, line in enumerate(lines, 1))
        (done,) = [done async for done in import_records(deps, OPERATOR, numbered)]
        return done

    return portal.call(run)


def exported(services: Services) -> list[bytes]:
    portal, deps = services

    async def run() -> list[bytes]:
        everything = [kind.subject for kind in KINDS]
        async with export(deps, OPERATOR, everything, Selection()) as records:
            return [line async for _, lines in records.lines() for line in lines]

    return portal.call(run)


def rows(services: Services) -> dict[str, list[dict[str, Any]]]:
    """All columns but those that the database sets."""
    portal, deps = services

    async def run() -> dict[str, list[dict[str, Any]]]:
        found = {}
        async with deps.database.read() as session:
            for table in TABLES:
                of_table = await session.execute(
                    text(f"SELECT to_jsonb(t) - '{{id,created_at,updated_at}}'::text[] FROM {table} t")  # noqa: S608
                )
                found[table] = [row[0] for row in of_table]
        return found

    return portal.call(run)


def emptied(services: Services) -> None:
    portal, deps = services

    async def run() -> None:
        async with deps.database.write() as session:
            await session.execute(text(f"TRUNCATE {', '.join(TABLES)}, remediation_event, incident_lexical"))
            await session.commit()

    portal.call(run)


@pytest.mark.parametrize(
    "chosen_by",
    [lambda where: Selection(around=where), lambda where: Selection(own={SubjectKind.WORKFLOW: where})],
    ids=["around", "own"],
)
async def test_a_filter_beyond_its_bounds_is_refused(
    deps: Dependencies, chosen_by: Callable[[Filter], Selection]
) -> None:
    too_long: Filter = Condition("cluster_name", Operator.IN, ("x",) * (FILTER_VALUES_MAX + 1))

    with pytest.raises(InvalidInput, match="more than 500 values"):
        async with export(deps, OPERATOR, list(SubjectKind), chosen_by(too_long)):
            pass


PLAIN = tuple(
    {"record": name, **valid}
    for name, valid in zip(KIND_OF, (VALID, ANALYSIS, WORKFLOW, EXECUTION), strict=True)
)


@settings(max_examples=25, deadline=None)
@given(records=RECORDS)
@example(records=PLAIN)
def test_importing_an_export_into_an_empty_database_gives_the_same_records(
    source: Services, target: Services, records: tuple[dict[str, Any], ...]
) -> None:
    emptied(source)
    emptied(target)
    first = imported(source, [json.dumps(given).encode() for given in records])
    assert first == BatchDone(stored=4, replayed=0, rejected=[])

    lines = exported(source)
    second = imported(target, lines)

    assert second == BatchDone(stored=4, replayed=0, rejected=[])
    assert rows(target) == rows(source)
    assert exported(target) == lines


async def test_an_export_is_there_already_where_it_came_from_also_what_has_changed_since(
    deps: Dependencies,
) -> None:
    for number, phase in enumerate(("pending", "processing")):
        await create_record(
            deps, OPERATOR, REMEDIATION, remediation_row(remediation_request_id=f"rr-{number}", phase=phase)
        )
    change = {"phase": "completed", "error_message": "token=abcdefghij1234567890", "metadata": {"a": 1}}
    await update_record(deps, OPERATOR, REMEDIATION, RecordKey(key="rr-1"), change)
    async with export(deps, OPERATOR, [REMEDIATION.subject], Selection()) as records:
        lines = [line async for _, lines in records.lines() for line in lines]

    def numbered(lines: list[bytes]) -> list[Line]:
        return [Line(number, line) for number, line in enumerate(lines, 1)]

    (again,) = [done async for done in import_records(deps, OPERATOR, numbered(lines))]
    altered = [line.replace(b'"COMPLETED"', b'"FAILED"') for line in lines]
    (other,) = [done async for done in import_records(deps, OPERATOR, numbered(altered))]

    assert (again.stored, again.replayed, again.rejected) == (0, 2, [])
    assert (other.stored, other.replayed, [one.line for one in other.rejected]) == (0, 1, [2])
