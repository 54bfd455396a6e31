"""Random filters on JSON, words and related records keep, of every kind, what a plain evaluation keeps."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.caller import ANONYMOUS, Caller, Scope
from datastorage.domain.enums import Phase
from datastorage.domain.execution import EXECUTION
from datastorage.domain.filters import (
    EVERYTHING,
    AllOf,
    AllWords,
    AnyOf,
    Condition,
    Filter,
    JsonCondition,
    JsonContains,
    Not,
    Operator,
    Related,
)
from datastorage.domain.kind import RecordKind
from datastorage.domain.receipt import Written
from datastorage.domain.relation import Relation
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.domain.workflow import WORKFLOW
from datastorage.repositories.records import Records
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_records
from support.api import services_from_sync_tests
from support.evaluation import World
from support.records import remediation_row

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
REMEDIATIONS, ANALYSES, WORKFLOWS, EXECUTIONS = 40, 60, 40, 60
MESSAGES = (
    None,
    "ImagePullBackOff in payments/api-7f9c",
    "image pull failed: back off 5m",
    "java.lang.NullPointerException at Order.java:42",
    "E11000 duplicate key; ÄRGER mit Straße",
    "connection refused 10.0.0.1:5432",
)
VALUES = (None, True, False, 0, 1, 1.0, 1.5, -3, "1", "a", "A", "Äb", "%_", "", [1, "a"], [], {"x": 1}, {})
KEYS = ("team", "x", "0", "a b", "ünï", '"q"')


def some_json(pick: random.Random, levels: int = 3) -> Any:
    if levels == 0 or pick.random() < 0.4:
        return pick.choice(VALUES)
    if pick.random() < 0.3:
        return [some_json(pick, levels - 1) for _ in range(pick.randrange(3))]
    return some_object(pick, levels)


def some_object(pick: random.Random, levels: int = 3) -> dict[str, Any]:
    return {pick.choice(KEYS): some_json(pick, levels - 1) for _ in range(pick.randrange(4))}


def request_id(pick: random.Random) -> str:
    return f"rr-{pick.randrange(REMEDIATIONS + 10)}"  # some never arrive


def rows(kind: RecordKind[Any]) -> list[dict[str, Any]]:
    """The same rows on every run."""
    pick = random.Random(kind.type_name)
    if kind is REMEDIATION:
        return [
            remediation_row(
                remediation_request_id=f"rr-{number}",
                name=pick.choice(("api", "db")),
                namespace=pick.choice(("n1", "n2")),
                phase=pick.choice(list(Phase)),
                error_message=pick.choice(MESSAGES),
                metadata={**some_object(pick), "summary": pick.choice(("Pod restarts", "api down", 7))},
                action_parameters=some_object(pick),
            )
            for number in range(REMEDIATIONS)
        ]
    if kind is ANALYSIS:
        return [
            {
                "analysis_id": f"an-{number}",
                "remediation_request_id": request_id(pick),
                "provider": "p",
                "model": "m",
                "confidence_score": pick.choice((0.0, 0.25, 0.5, 1.0)),
                "tokens_used": 1,
                "analysis_duration_ms": 1,
                "root_cause": pick.choice((None, "OutOfMemory on node-7", "image registry is down")),
                "namespace": pick.choice((None, "n1", "n2")),
                "metadata": some_object(pick),
            }
            for number in range(ANALYSES)
        ]
    if kind is WORKFLOW:
        return [
            {
                "workflow_id": f"wf-{number}",
                "remediation_request_id": request_id(pick),
                "phase": pick.choice(("planning", "completed")),
                "total_steps": 3,
                "completed_steps": pick.randrange(4),
                "start_time": START,
                "namespace": pick.choice((None, "n1", "n2")),
            }
            for number in range(WORKFLOWS)
        ]
    return [
        {
            "execution_id": f"ex-{number}",
            "workflow_id": f"wf-{pick.randrange(WORKFLOWS + 10)}",
            "remediation_request_id": pick.choice((None, request_id(pick))),
            "action_type": pick.choice(("restart", "scale")),
            "target_resource": "Pod/a",
            "success": pick.random() < 0.5,
            "start_time": START + timedelta(seconds=number),
            "execution_time_ms": 1,
            "namespace": pick.choice((None, "n1", "n2")),
        }
        for number in range(EXECUTIONS)
    ]


@pytest.fixture(scope="module")
def services(server_url: URL, template: str) -> Iterator[tuple[BlockingPortal, Dependencies]]:
    with services_from_sync_tests(server_url, template) as opened:
        yield opened


@pytest.fixture(scope="module")
def world(services: tuple[BlockingPortal, Dependencies]) -> World:
    portal, deps = services

    def stored(kind: RecordKind[Any]) -> list[Any]:
        outcomes = portal.call(create_records, deps, ANONYMOUS, kind, rows(kind))
        assert all(isinstance(outcome, Written) for outcome in outcomes), outcomes
        return [outcome.record for outcome in outcomes]

    analyses, workflows = stored(ANALYSIS)[: ANALYSES // 2], stored(WORKFLOW)
    remediations, executions = stored(REMEDIATION), stored(EXECUTION)
    analyses = portal.call(everything, deps, ANALYSIS)

    def text_of(audit: RemediationAudit) -> str:
        summary = audit.metadata["summary"]
        causes = [
            analysis.root_cause
            for analysis in analyses
            if analysis.remediation_request_id == audit.remediation_request_id
            and analysis.namespace in (None, audit.namespace)  # what was found elsewhere is not told here
        ]
        return " ".join(
            filter(
                None,
                (
                    summary if isinstance(summary, str) else None,
                    audit.name,
                    audit.action_type,
                    audit.target_resource,
                    audit.error_message,
                    *causes,
                ),
            )
        )

    return World(remediations, analyses, workflows, executions, text_of)


async def everything(deps: Dependencies, kind: RecordKind[Any]) -> list[Any]:
    async with deps.database.read() as session:
        repository = Records(session, ANONYMOUS.scope, kind)
        return list((await repository.by_ids(await repository.newest(EVERYTHING, 1000))).values())


def path(pick: random.Random) -> tuple[str, ...]:
    return tuple(pick.choices((*KEYS, "-1"), k=pick.choice((1, 1, 2, 3))))


def on_json(pick: random.Random, columns: Sequence[str]) -> Filter:
    column = pick.choice(columns)
    if pick.random() < 0.3:
        return JsonContains(column, orjson.dumps(some_object(pick, 2)).decode())
    chosen = pick.choice(list(Operator))
    if chosen is Operator.IS_NULL:
        return JsonCondition(column, path(pick), chosen, pick.random() < 0.5)
    if chosen in (Operator.IN, Operator.NOT_IN):
        values = pick.choices([value for value in VALUES if value is not None], k=pick.randrange(4))
        return JsonCondition(column, path(pick), chosen, tuple(orjson.dumps(v).decode() for v in values))
    fitting = {Operator.EQ: object, Operator.NE: object, Operator.CONTAINS: str, Operator.STARTS_WITH: str}
    of_type = fitting.get(chosen, (int, float, str))
    values = [
        v
        for v in VALUES
        if v is not None and isinstance(v, of_type) and (of_type is object or not isinstance(v, bool))
    ]
    return JsonCondition(column, path(pick), chosen, orjson.dumps(pick.choice(values)).decode())


def some_words(pick: random.Random, _: object = None) -> Filter:
    text = " ".join(
        pick.choices(("image", "Pull", "IMAGEPULLBACKOFF", "back off", "e11000", "42", "api", "n", "straße"))
    )
    return AllWords(text)


SCALARS: dict[str, Sequence[Condition]] = {
    "RemediationAudit": [
        Condition("phase", Operator.EQ, Phase.FAILED),
        Condition("name", Operator.EQ, "api"),
    ],
    "AiAnalysisAudit": [
        Condition("confidence_score", Operator.LT, 0.5),
        Condition("root_cause", Operator.IS_NULL, True),  # noqa: FBT003 -- absent
    ],
    "WorkflowAudit": [
        Condition("completed_steps", Operator.GT, 1),
        Condition("workflow_id", Operator.STARTS_WITH, "WF-1"),
    ],
    "ExecutionAudit": [
        Condition("success", Operator.EQ, True),  # noqa: FBT003
        Condition("action_type", Operator.NE, "scale"),
    ],
}
AROUND: dict[str, Sequence[tuple[Relation, RecordKind[Any]]]] = {
    "RemediationAudit": [
        (Relation.ANALYSES, ANALYSIS),
        (Relation.WORKFLOWS, WORKFLOW),
        (Relation.EXECUTIONS, EXECUTION),
    ],
    "AiAnalysisAudit": [(Relation.REMEDIATION, REMEDIATION)],
    "WorkflowAudit": [(Relation.REMEDIATION, REMEDIATION), (Relation.WORKFLOW_EXECUTIONS, EXECUTION)],
    "ExecutionAudit": [(Relation.EXECUTION_REMEDIATION, REMEDIATION), (Relation.WORKFLOW, WORKFLOW)],
}


def tree(pick: random.Random, kind: RecordKind[Any], levels: int = 4) -> Filter:
    chosen = pick.choice(("all", "any", "not", "related", "related", "leaf")) if levels else "leaf"
    if chosen == "related":
        relation, other = pick.choice(AROUND[kind.type_name])
        return Related(relation, tree(pick, other, levels - 1))
    if chosen == "not":
        return Not(tree(pick, kind, levels - 1))
    if chosen in ("all", "any"):
        parts = tuple(tree(pick, kind, levels - 1) for _ in range(pick.choice((0, 1, 2, 2))))
        return AllOf(parts) if chosen == "all" else AnyOf(parts)
    if kind is REMEDIATION:
        leaves = pick.choice((on_json, on_json, some_words))
        return leaves(pick, ("metadata", "action_parameters"))
    if kind is ANALYSIS and pick.random() < 0.3:
        return on_json(pick, ("metadata",))
    return pick.choice(SCALARS[kind.type_name])


async def kept(deps: Dependencies, caller: Caller, kind: RecordKind[Any], where: Filter) -> list[int]:
    async with deps.database.read() as session:
        return sorted(await Records(session, caller.scope, kind).newest(where, 1000))


def of_kind(world: World, kind: RecordKind[Any]) -> Sequence[Any]:
    return {
        "RemediationAudit": world.remediations,
        "AiAnalysisAudit": world.analyses,
        "WorkflowAudit": world.workflows,
        "ExecutionAudit": world.executions,
    }[kind.type_name]


KINDS = (REMEDIATION, REMEDIATION, ANALYSIS, WORKFLOW, EXECUTION)


@settings(max_examples=400, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_a_filter_keeps_what_its_meaning_says(
    services: tuple[BlockingPortal, Dependencies], world: World, pick: random.Random
) -> None:
    portal, deps = services
    kind = pick.choice(KINDS)
    where = tree(pick, kind)

    ids = portal.call(kept, deps, ANONYMOUS, kind, where)

    expected = sorted(record.id for record in of_kind(world, kind) if world.holds(where, record))
    assert ids == expected, (kind.type_name, where)


@settings(max_examples=200, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_a_scoped_caller_is_answered_as_if_the_rest_of_the_world_were_not_there(
    services: tuple[BlockingPortal, Dependencies], world: World, pick: random.Random
) -> None:
    portal, deps = services
    caller = Caller("team", ANONYMOUS.rights, Scope(namespaces=frozenset({"n1"})))
    visible = World(
        *(
            [record for record in records if record.namespace == "n1"]
            for records in (world.remediations, world.analyses, world.workflows, world.executions)
        ),
        text_of=world.text_of,
    )
    kind = pick.choice(KINDS)
    where = tree(pick, kind)

    ids = portal.call(kept, deps, caller, kind, where)

    expected = sorted(record.id for record in of_kind(visible, kind) if visible.holds(where, record))
    assert ids == expected, (kind.type_name, where)
