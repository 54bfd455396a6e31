"""Two tenants: whatever one asks is answered byte for byte alike, whether or not the other's rows exist."""

import base64
import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from anyio.from_thread import BlockingPortal
from graphql import build_schema as schema_of
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy.engine import URL

from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.caller import ANONYMOUS, OPERATOR, Role, Scope
from datastorage.domain.execution import EXECUTION
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.workflow import WORKFLOW
from datastorage.graphql.schema import build_schema
from datastorage.services.access.api_keys import create_key
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.services.records import create_records
from datastorage.services.term_statistics import refresh_if_due
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.api import services_from_sync_tests
from support.generated_documents import Asked, Known, asked_queries, told
from support.records import remediation_row

ERROR_ID = re.compile(rb"[0-9a-f]{32}")
NOW = re.compile(rb'"\d{4}-\d\d-\d\dT[0-9:]+\.\d{6}Z"')  # what is stored has whole seconds
SECRET = "zanzibar"  # a word of the other tenant's alone
START = "2026-01-01T12:00:00Z"


def rows(namespace: str, count: int, word: str, around: str) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Remediations of one tenant, and what belongs to `around`'s, which may be another's."""
    place = {"namespace": namespace, "cluster_name": f"{namespace}-1"}
    remediations = [
        remediation_row(
            **place,
            remediation_request_id=f"{namespace}-{number}",
            name=f"job-{number % 3}",
            error_message=f"disk full on volume {number} {word}",
            alert_fingerprint=f"fp-{number % 2}",
        )
        for number in range(count)
    ]
    analysis = {
        "provider": "p",
        "model": "m",
        "confidence_score": 0.5,
        "tokens_used": 1,
        "analysis_duration_ms": 1,
    }
    workflow = {"phase": "planning", "total_steps": 1, "completed_steps": 0, "start_time": START}
    execution = {"action_type": "restart", "target_resource": "Pod/a", "success": True, "start_time": START}
    return [
        (REMEDIATION, remediations),
        (
            ANALYSIS,
            [
                analysis
                | place
                | {
                    "analysis_id": f"{namespace}-an-{n}",
                    "remediation_request_id": f"{around}-{n}",
                    "root_cause": f"cause {word}",
                }
                for n in range(3)
            ],
        ),
        (
            WORKFLOW,
            [
                workflow
                | place
                | {"workflow_id": f"{namespace}-wf-{n}", "remediation_request_id": f"{around}-{n}"}
                for n in range(3)
            ],
        ),
        (
            EXECUTION,
            [
                execution
                | place
                | {
                    "execution_id": f"{namespace}-ex-{n}",
                    "workflow_id": f"{around}-wf-{n}",
                    "execution_time_ms": 1,
                }
                for n in range(3)
            ],
        ),
    ]


class Tenant:
    """The API as one tenant asks it."""

    def __init__(self, portal: BlockingPortal, http: httpx.AsyncClient) -> None:
        self._portal, self._http = portal, http

    def ask(self, query: str, **variables: Any) -> bytes:
        answer = self._portal.call(lambda: self._post(query, variables))
        content = NOW.sub(b'"now"', ERROR_ID.sub(b"", answer.content))
        return f"{answer.status_code}\n".encode() + content

    async def _post(self, query: str, variables: dict[str, Any]) -> httpx.Response:
        return await self._http.post("/graphql", json={"query": query, "variables": variables})


def store(portal: BlockingPortal, deps: Dependencies, records: Any) -> None:
    async def stored() -> None:
        for kind, items in records:
            outcomes = await create_records(deps, ANONYMOUS, kind, items)
            assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes

    portal.call(stored)


@pytest.fixture(scope="module")
def tenants(server_url: URL, template: str) -> Iterator[tuple[Tenant, Tenant]]:
    """The same tenant twice: alone, and beside another one, whose rows are about both."""
    with (
        services_from_sync_tests(server_url, template) as (portal, alone),
        services_from_sync_tests(server_url, template) as (other_portal, beside),
    ):
        opened = []
        for p, deps in ((portal, alone), (other_portal, beside)):
            opened.append(tenant(p, deps))
            store(p, deps, rows("shop", 12, "shopping", "shop"))
        store(other_portal, beside, rows("bank", 30, SECRET, "shop"))
        for p, deps in ((portal, alone), (other_portal, beside)):
            p.call(refresh_if_due, deps.database)
            p.call(same_times, deps)
        yield opened[0], opened[1]


def tenant(portal: BlockingPortal, deps: Dependencies) -> Tenant:
    scope = Scope(frozenset({"shop"}))
    secret = portal.call(create_key, deps, OPERATOR, "shop", Role.WRITER, scope, None).secret
    values = Settings(_env_file=None, pool_size=9, auth_modes="api_key")
    app = build_application(build_schema(), values)
    app.state.deps, app.state.health = deps, Health(deps.database)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers={"x-api-key": secret}
    )
    return Tenant(portal, http)


async def same_times(deps: Dependencies) -> None:
    """What the database's clock said is the only difference there may be."""
    from sqlalchemy import text  # noqa: PLC0415 -- only here

    stamped = {
        "remediation_audit": ("created_at", "updated_at"),
        "ai_analysis_audit": ("created_at",),
        "workflow_audit": ("created_at", "updated_at"),
        "execution_audit": ("created_at",),
        "remediation_event": ("recorded_at",),
    }
    async with deps.database.write() as session:
        for table, columns in stamped.items():
            for column in columns:
                await session.execute(text(f"UPDATE {table} SET {column} = '{START}'"))  # noqa: S608 -- ours
        await session.execute(
            text("UPDATE remediation_event SET changes = changes - 'created_at' - 'updated_at'")
        )
        await session.commit()


CASES: dict[str, str] = {
    "text of the other's root cause": f'{{ remediationAudits(filter: {{text: "{SECRET}"}}) {{ totalCount nodes {{ name }} }} }}',
    "search": '{ similarIncidents(text: "disk full zanzibar volume", at: "2026-02-01T00:00:00Z") { exhaustive hits { score similarity vectorRank lexicalRank matchedTerms termCoverage incident { name remediationRequestId } } } }',
    "search collapsed": '{ similarIncidents(text: "disk full", collapse: true, at: "2026-02-01T00:00:00Z") { hits { score occurrences firstSeen lastSeen } } }',
    "words alone": '{ similarIncidents(text: "cause disk zanzibar", mode: LEXICAL, at: "2026-02-01T00:00:00Z") { hits { score matchedTerms } } }',
    "recommended": '{ recommendedActions(text: "disk full") { __typename } }',
    "timeline": '{ remediation(requestId: "shop-1") { analyses { totalCount nodes { analysisId } } workflows { totalCount } executions { totalCount } events { totalCount nodes { actor changes } } } }',
    "the other's timeline": '{ remediation(requestId: "bank-1") { __typename } }',
    "the other's key": '{ remediationAudit(requestId: "bank-1") { id } aiAnalysisAudit(analysisId: "bank-an-1") { id } }',
    "the other's node": '{ node(id: "UmVtZWRpYXRpb25BdWRpdDo2NQ==") { id } }',
    "relations": "{ remediationAudits(first: 20) { nodes { remediationRequestId analyses { totalCount } executions { totalCount } events { totalCount } similar(first: 3) { hits { score } } } } }",
    "relation filters": '{ remediationAudits(filter: {analyses: {some: {provider: {eq: "p"}}}}) { totalCount } }',
}


@pytest.mark.parametrize("name", CASES)
def test_the_other_tenant_makes_no_difference_to(tenants: tuple[Tenant, Tenant], name: str) -> None:
    alone, beside = tenants

    answer = beside.ask(CASES[name])

    assert b"errors" not in answer, answer
    assert SECRET.encode() not in answer.replace(f'"matchedTerms":["{SECRET}"'.encode(), b"")
    assert alone.ask(CASES[name]) == answer


SCHEMA = schema_of(build_schema().as_str())
BOTH = ("shop", "bank")
NUMBERS = range(1, 80)  # of records, both tenants' among them
OF_BOTH = Known(
    arguments={
        "requestId": [f"{tenant}-{number}" for tenant in BOTH for number in range(3)],
        "exceptRequestId": [f"{tenant}-1" for tenant in BOTH],
        "analysisId": [f"{tenant}-an-1" for tenant in BOTH],
        "workflowId": [f"{tenant}-wf-1" for tenant in BOTH],
        "executionId": [f"{tenant}-ex-1" for tenant in BOTH],
        "id": [
            base64.b64encode(f"{kind}:{number}".encode()).decode()
            for kind in ("RemediationAudit", "AiAnalysisAudit", "WorkflowAudit", "ExecutionAudit")
            for number in NUMBERS
        ],
        "text": ["disk full on volume", f"cause {SECRET}"],
        "namespace": [*BOTH],
        "cluster": [f"{tenant}-1" for tenant in BOTH],
        "target": ["Deployment/payment-api"],
        "actionType": ["restart_pod"],
        "at": ["2026-02-01T00:00:00Z"],
    }
)


@settings(
    max_examples=int(os.environ.get("DATASTORAGE_FUZZ_DOCUMENTS", "200")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(asked=asked_queries(SCHEMA, OF_BOTH))
def test_whatever_is_asked_the_other_tenant_makes_no_difference(
    tenants: tuple[Tenant, Tenant], asked: Asked
) -> None:
    alone, beside = tenants

    def answers(tenant: Tenant, times: int) -> set[bytes]:
        return {with_errors_in_order(tenant.ask(asked.query, **asked.variables)) for _ in range(times)}

    expected, answered = answers(alone, 1), answers(beside, 1)
    if answered != expected and b'"data":null' in next(iter(answered)):
        # Of several faults that leave no data either may be met first.
        expected, answered = expected | answers(alone, 10), answered | answers(beside, 10)

    if not answered & expected:
        pytest.fail(told(asked, next(iter(answered)), expected))


def with_errors_in_order(answer: bytes) -> bytes:
    """Fields that wait for the database race each other, and so do their errors."""
    status, _, content = answer.partition(b"\n")
    body = orjson.loads(content)
    body["errors"] = sorted(body.get("errors", ()), key=orjson.dumps)
    return status + orjson.dumps(body)


CREATE = """mutation ($input: CreateRemediationAuditInput!) { createRemediationAudit(input: $input) { __typename
  ... on UserError { message code } ... on ConflictError { fields } } }"""


def test_a_key_of_the_other_tenant_is_taken_and_no_more_is_told(tenants: tuple[Tenant, Tenant]) -> None:
    _, beside = tenants
    sent = {
        "remediationRequestId": "bank-1", "name": "job-1", "namespace": "shop", "phase": "PENDING",
        "actionType": "restart_pod", "startTime": START, "alertFingerprint": "fp-1", "severity": "HIGH",
        "environment": "production", "clusterName": "bank-1", "targetResource": "Deployment/payment-api",
    }  # fmt: skip

    answer = beside.ask(CREATE, input=sent)

    assert answer.endswith(
        b'{"__typename":"ConflictError","message":"remediationRequestId is taken","code":"CONFLICT","fields":[]}}}'
    )
