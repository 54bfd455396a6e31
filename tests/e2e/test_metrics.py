"""The metrics: their names and labels, what moves them, and what stands on the metrics port."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY, Metric
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.graphql.schema import build_schema
from datastorage.services.dependencies import Dependencies
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.client import GraphQLClient
from support.records import remediation_input
from support.service import Service

ELEVEN = {
    "datastorage_write_total": {"table", "status"},
    "datastorage_write_duration_seconds": {"table"},
    "datastorage_dualwrite_success_total": set(),
    "datastorage_dualwrite_failure_total": {"reason"},
    "datastorage_fallback_mode_total": set(),
    "datastorage_cache_hits_total": set(),
    "datastorage_cache_misses_total": set(),
    "datastorage_embedding_generation_duration_seconds": set(),
    "datastorage_validation_failures_total": {"field", "reason"},
    "datastorage_query_total": {"operation", "status"},
    "datastorage_query_duration_seconds": {"operation"},
}
VALUES = {
    "table": {"remediation_audit", "ai_analysis_audit", "workflow_audit", "execution_audit"},
    "status": {"success", "failure"},
    "field": {
        "name", "namespace", "phase", "status", "action_type", "severity", "target_resource", "other",
    },
    "operation": {"get", "list", "filter", "aggregate", "semantic_search"},
}  # fmt: skip
REASONS = {
    "datastorage_dualwrite_failure_total": {
        "postgresql_failure", "vectordb_failure", "validation_failure", "context_canceled",
        "transaction_rollback", "unknown",
    },
    "datastorage_validation_failures_total": {
        "required", "invalid", "length_exceeded", "whitespace_only", "xss_detected", "sql_injection_detected",
    },
}  # fmt: skip
POOLS = ("rows", "reads", "writes", "probes")
SIMILAR = '{ similarIncidents(text: "pod killed, out of memory") { hits { similarity } } }'
LIST = "{ remediationAudits { nodes { name } } }"
FILTER = '{ remediationAudits(filter: {namespace: {eq: "payments"}}) { nodes { name } } }'
GET = '{ remediationAudit(requestId: "rr-1") { name } }'
NOWHERE = URL.create("postgresql+asyncpg", "app", database="app", query={"host": "/nonexistent"})


# --- names, labels, buckets


@pytest.fixture(scope="module")
def exposed(service: Service) -> dict[str, Metric]:
    """The metrics by the name they are written under."""
    return {metric.name + "_total" * (metric.type == "counter"): metric for metric in service.metrics()}


@pytest.mark.parametrize(("name", "labels"), ELEVEN.items())
def test_the_metric_has_its_name_and_labels(exposed: dict[str, Metric], name: str, labels: set[str]) -> None:
    metric = exposed[name]
    allowed = {**VALUES, "reason": REASONS.get(name, set())}

    seen = [{key: value for key, value in s.labels.items() if key != "le"} for s in metric.samples]
    assert seen
    assert {frozenset(labels_seen) for labels_seen in seen} == {frozenset(labels)}
    assert all(value in allowed[key] for labels_seen in seen for key, value in labels_seen.items())
    assert metric.documentation.endswith(".")
    assert {s.name for s in metric.samples} <= {name, f"{name}_bucket", f"{name}_count", f"{name}_sum"}


def test_the_eleven_together_have_fewer_than_a_hundred_label_sets(exposed: dict[str, Metric]) -> None:
    sets = {(name, frozenset(s.labels.items() - {("le", s.labels.get("le"))}))
            for name in ELEVEN for s in exposed[name].samples}  # fmt: skip

    assert len(sets) == 86


def test_no_series_tells_when_another_was_created(exposed: dict[str, Metric]) -> None:
    assert [name for name in exposed if name.endswith("_created")] == []


def test_histograms_have_the_buckets_that_the_service_levels_are_read_from(
    exposed: dict[str, Metric],
) -> None:
    for name in (name for name in ELEVEN if name.endswith("_seconds")):
        bounds = {float(s.labels["le"]) for s in exposed[name].samples if s.name == f"{name}_bucket"}
        assert bounds >= {0.005, 0.02, 0.05, 0.1, 0.25, 0.5}


def test_gauges_tell_of_the_service(service: Service) -> None:
    at_rest = {
        "datastorage_database_up": 1,
        "datastorage_fallback_mode_active": 0,
        "datastorage_requests_in_flight": 0,
    }
    pools = {
        "datastorage_pool_size": {"rows": 2, "reads": 2, "writes": 2, "probes": 2},
        "datastorage_pool_in_use": dict.fromkeys(POOLS, 0),
        "datastorage_pool_waiting": dict.fromkeys(POOLS, 0),
    }

    # Gauges are set every few seconds, and the service's own work may hold a connection at that moment.
    for _ in range(300):
        seen = {name: service.sample(name) for name in at_rest}
        seen_pools = {name: {pool: service.sample(name, pool=pool) for pool in POOLS} for name in pools}
        if (seen, seen_pools) == (at_rest, pools):
            break
        time.sleep(0.1)

    assert seen == at_rest
    assert seen_pools == pools
    assert [s.value for m in service.metrics() if m.name == "datastorage_build_info" for s in m.samples] == [
        1
    ]


# --- what moves them


class Deltas(dict[str, float]):
    """What moved inside a block: series with their growth; durations by how many were observed."""


@contextmanager
def moved() -> Iterator[Deltas]:
    before, deltas = counted(), Deltas()
    yield deltas
    deltas.update(
        {key: value - before.get(key, 0) for key, value in counted().items() if value != before.get(key, 0)}
    )


def counted() -> dict[str, float]:
    names = {
        *ELEVEN,
        *(f"{name}_count" for name in ELEVEN),
        "datastorage_rejected_total",
        "datastorage_sanitization_total",
    }
    return {
        " ".join([sample.name.removeprefix("datastorage_"), *sample.labels.values()]): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name in names
    }


STORED = {
    "write_total remediation_audit success": 1,
    "write_duration_seconds_count remediation_audit": 1,
    "dualwrite_success_total": 1,
    "cache_misses_total": 1,
    "embedding_generation_duration_seconds_count": 1,
}


async def test_a_create_and_its_replay(client: GraphQLClient) -> None:
    with moved() as stored:
        await client.create(**remediation_input())
    with moved() as replayed:
        result = await client.create(**remediation_input())
    with moved() as same_text:
        await client.create(**remediation_input(remediationRequestId="rr-2"))

    assert result["receipt"]["replayed"] is True
    assert stored == STORED
    assert replayed == {"dualwrite_success_total": 1, "cache_hits_total": 1}
    assert same_text == {
        "write_total remediation_audit success": 1,
        "write_duration_seconds_count remediation_audit": 1,
        "dualwrite_success_total": 1,
        "cache_hits_total": 1,
    }


async def test_an_update_and_one_that_changes_nothing(client: GraphQLClient) -> None:
    await client.create(**remediation_input())

    with moved() as changed:
        await client.update(requestId="rr-1", phase="PROCESSING")
    with moved() as unchanged:
        await client.update(requestId="rr-1", phase="PROCESSING")

    assert changed == {
        "write_total remediation_audit success": 1,
        "write_duration_seconds_count remediation_audit": 1,
        "dualwrite_success_total": 1,
    }
    assert unchanged == {"dualwrite_success_total": 1}


async def test_each_change_of_free_text_is_counted_by_its_kind(client: GraphQLClient) -> None:
    text = "  DB_PASSWORD=hunter2 \x07in its environment: <b>"

    with moved() as stored:
        await client.create(
            **remediation_input(errorMessage=text, resolution="as it was", metadata={"a": " b"})
        )
    with moved() as plain:
        await client.ask(GET.replace("name", "errorMessage"))
    with moved() as html:
        answer = await client.ask(GET.replace("name", "errorMessage(format: HTML) resolution(format: HTML)"))

    assert answer.data["remediationAudit"]["errorMessage"].endswith("environment: &lt;b&gt;")
    kinds = {key: value for key, value in stored.items() if key.startswith("sanitization")}
    assert kinds == {
        "sanitization_total trimmed": 2,
        "sanitization_total control_removed": 1,
        "sanitization_total redacted": 1,
    }
    assert "sanitization_total html_encoded" not in plain
    assert html["sanitization_total html_encoded"] == 1


async def test_refused_input_counts_each_field_and_is_no_failed_write(client: GraphQLClient) -> None:
    with moved() as refused:
        await client.create(
            **remediation_input(
                name="<script>alert(1)</script>", namespace="  ", environment="x" * 51, targetResource="'; --"
            )
        )

    assert refused == {
        "validation_failures_total name xss_detected": 1,
        "validation_failures_total namespace whitespace_only": 1,
        "validation_failures_total other length_exceeded": 1,
        "validation_failures_total target_resource sql_injection_detected": 1,
        "dualwrite_failure_total validation_failure": 1,
    }


async def test_input_that_the_types_refuse_counts_alike(client: GraphQLClient) -> None:
    query = "mutation($i: CreateRemediationAuditInput!) { createRemediationAudit(input: $i) { __typename } }"

    with moved() as refused:
        await client.ask(query, i=remediation_input(severity="AWFUL"))

    assert refused == {
        "validation_failures_total severity invalid": 1,
        "dualwrite_failure_total validation_failure": 1,
    }


async def test_refusals_of_the_callers_making_are_counted_by_code(client: GraphQLClient) -> None:
    await client.create(**remediation_input())

    with moved() as conflict:
        await client.create(**remediation_input(severity="LOW"))
    with moved() as unknown:
        await client.update(requestId="rr-9", phase="PROCESSING")
    with moved() as transition:
        await client.update(requestId="rr-1", phase="COMPLETED")

    assert "write_total remediation_audit failure" not in conflict | unknown | transition
    assert conflict["rejected_total conflict"] == 1
    assert unknown == {"rejected_total not_found": 1}
    assert transition == {"rejected_total invalid_transition": 1}


async def test_queries_are_counted_by_their_kind(client: GraphQLClient) -> None:
    await client.create(**remediation_input())
    await client.ask(SIMILAR)  # now its vector is in the cache

    for query, operation in ((GET, "get"), (LIST, "list"), (FILTER, "filter"), (SIMILAR, "semantic_search")):
        with moved() as answered:
            (await client.ask(query)).data  # noqa: B018 -- asserts that there is no error

        cached = {"cache_hits_total": 1} if query == SIMILAR else {}
        assert answered == {
            f"query_total {operation} success": 1,
            f"query_duration_seconds_count {operation}": 1,
            **cached,
        }


@pytest.mark.parametrize(
    "query", [GET.replace("requestId: ", "id: "), LIST.replace("Audits", "Audits(first: 0)")]
)
async def test_a_query_that_is_the_callers_mistake_is_no_failure(client: GraphQLClient, query: str) -> None:
    with moved() as asked:
        answer = await client.ask(query)

    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert [key for key in asked if "failure" in key] == []


async def test_a_query_beyond_its_time_is_a_failed_query(deps: Dependencies, sql: asyncpg.Connection) -> None:
    async with sql.transaction(), api(deps, request_timeout_s=0.3) as hurried:
        await sql.execute("LOCK TABLE remediation_audit")

        with moved() as failed:
            answer = await hurried.ask(LIST)

    assert answer.error["extensions"]["code"] == "TIMEOUT"
    assert failed == {"query_total list failure": 1, "query_duration_seconds_count list": 1}


@asynccontextmanager
async def api(deps: Dependencies, **settings: float) -> AsyncIterator[GraphQLClient]:
    app = build_application(build_schema(), Settings(_env_file=None, **settings))
    app.state.deps = deps
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield GraphQLClient(http)


# --- without a database


@pytest.fixture
async def cut_off(deps: Dependencies, settings: Settings) -> AsyncIterator[GraphQLClient]:
    """The API after its database has gone; it has ids in hand, as any service that has run a while."""
    await deps.ids["RemediationAudit"].take(1)
    async with (
        dependencies(NOWHERE, settings) as without,
        api(replace(deps, database=without.database)) as cut,
    ):
        yield cut


async def test_a_write_without_a_database_is_a_failed_write(cut_off: GraphQLClient) -> None:
    with moved() as failed:
        result = await cut_off.create(**remediation_input())

    assert (result["code"], result["retryable"]) == ("UNAVAILABLE", True)
    assert {key: value for key, value in failed.items() if key.startswith("write")} == {
        "write_total remediation_audit failure": 1,
        "write_duration_seconds_count remediation_audit": 1,
    }


async def test_a_write_without_a_database_is_a_failed_dual_write(cut_off: GraphQLClient) -> None:
    with moved() as failed:
        await cut_off.create(**remediation_input())

    assert {key: value for key, value in failed.items() if key.startswith("dualwrite")} == {
        "dualwrite_failure_total postgresql_failure": 1
    }


@pytest.mark.parametrize(
    ("query", "operation"), [(GET, "get"), (LIST, "list"), (FILTER, "filter"), (SIMILAR, "semantic_search")]
)
async def test_a_query_without_a_database_is_a_failed_query(
    cut_off: GraphQLClient, query: str, operation: str
) -> None:
    with moved() as failed:
        answer = await cut_off.ask(query)

    assert answer.error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
    assert {key: value for key, value in failed.items() if key.startswith("query")} == {
        f"query_total {operation} failure": 1,
        f"query_duration_seconds_count {operation}": 1,
    }
