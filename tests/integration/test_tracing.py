"""Traces by OpenTelemetry: which spans a request has, what they say and never say, and that they are off unless wanted."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy.engine import URL

from datastorage.app import configured_spans, dependencies
from datastorage.errors import StartupError
from datastorage.graphql.schema import build_schema
from datastorage.observability.tracing import OpenTelemetrySpans
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.services.similar_incidents import legs, search
from datastorage.services.vector_reconciliation import reconcile
from datastorage.settings import ProviderKind, Settings
from datastorage.web.application import build_application
from support.client import CREATE, GraphQLClient
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer
from support.logs import lines, logs_to_be_started
from support.records import remediation_input

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
PARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
SECRET = "hunter2secret"
GET = 'query One { remediationAudit(requestId: "rr-1") { name } }'
NOWHERE = URL.create("postgresql+asyncpg", "app", database="app", query={"host": "/nonexistent"})


@dataclass
class Traced:
    """The API with its spans, kept in memory."""

    client: GraphQLClient
    deps: Dependencies
    exporter: InMemorySpanExporter

    async def ask(
        self, query: str, headers: dict[str, str] | None = None, **variables: Any
    ) -> dict[str, ReadableSpan]:
        """The spans of one request by their names; the last one of each."""
        self.exporter.clear()
        await self.client.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        return {span.name: span for span in self.exporter.get_finished_spans()}


@asynccontextmanager
async def traced(database_url: URL, **settings: Any) -> AsyncIterator[Traced]:
    exporter = InMemorySpanExporter()
    spans = OpenTelemetrySpans(SimpleSpanProcessor(exporter))
    given = Settings(_env_file=None, pool_size=9, **settings)
    async with dependencies(database_url, given, spans) as deps:
        app = build_application(build_schema(), given, spans=spans)
        app.state.deps, app.state.health = deps, Health(deps.database)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            yield Traced(GraphQLClient(http), deps, exporter)
    spans.close()


@pytest.fixture
async def api(database_url: URL) -> AsyncIterator[Traced]:
    async with traced(database_url) as api:
        yield api


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


# --- the spans of a request


async def test_a_write_has_spans_of_request_operation_embedding_and_statements(api: Traced) -> None:
    spans = await api.ask(CREATE, PARENT, input=remediation_input())

    request, operation = spans["POST /graphql"], spans["mutation Create"]
    assert {f"{span.context.trace_id:032x}" for span in spans.values()} == {TRACE}
    assert f"{parent_of(request):016x}" == CALLER
    assert parent_of(operation) == request.context.span_id
    assert {"embeddings", "INSERT"} <= set(spans)
    assert {parent_of(spans[name]) for name in ("embeddings", "INSERT")} == {operation.context.span_id}
    assert [span.kind for span in (request, operation, spans["embeddings"], spans["INSERT"])] == [
        SpanKind.SERVER,
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
        SpanKind.CLIENT,
    ]
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "url.path": "/graphql",
        "http.route": "/graphql",
        "http.response.status_code": 200,
    }
    assert dict(operation.attributes) == {
        "graphql.operation.type": "mutation",
        "graphql.operation.name": "Create",
    }
    assert dict(spans["embeddings"].attributes) == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.request.model": api.deps.embedder.model,
        "datastorage.texts": 1,
    }
    assert spans["INSERT"].attributes["db.system.name"] == "postgresql"
    assert all(span.end_time >= span.start_time for span in spans.values())


async def test_a_query_has_them_however_it_is_executed(api: Traced) -> None:
    await api.client.create(**remediation_input())

    for _ in ("reference", "compiled"):
        spans = await api.ask(GET)

        assert set(spans) == {"POST /graphql", "query One", "SELECT"}
        assert parent_of(spans["POST /graphql"]) is None
        assert parent_of(spans["SELECT"]) == spans["query One"].context.span_id
        assert spans["SELECT"].attributes["db.response.returned_rows"] == 1
        assert "remediation_audit" in spans["SELECT"].attributes["db.query.text"]
        assert spans["query One"].status.status_code is StatusCode.UNSET


async def test_the_vector_engine_has_spans_too(
    database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, bound in ((legs, "EXACT_SCAN_ROWS_MAX"), (search, "MATCHES_COUNTED_MAX")):
        monkeypatch.setattr(module, bound, 0)  # one incident is too many to be compared
    async with traced(database_url, vector_engine_url=str(tmp_path / "vectors.db")) as api:
        provider = api.deps.embedder.provider
        await api.deps.second.prepare(provider.model, provider.dimensions)
        assert "milvus prepare" not in {span.name for span in api.exporter.get_finished_spans()}

        await api.client.create(**remediation_input())
        assert (await reconcile(api.deps, repair=True, progress=lambda _: None)).agree
        spans = await api.ask('query Like { similarIncidents(text: "pod killed") { mode } }', PARENT)

    asked = spans["milvus search"]
    assert f"{asked.context.trace_id:032x}" == TRACE
    assert dict(asked.attributes) == {
        "db.system.name": "milvus",
        "db.operation.name": "search",
        "gen_ai.request.model": provider.model,
    }


async def test_no_span_holds_values_or_secrets(api: Traced) -> None:
    text = f"lost postgresql://app:{SECRET}@db/app"

    told = [
        *(await api.ask(CREATE, input=remediation_input(errorMessage=text))).values(),
        *(await api.ask(f'query token_{KEY.replace("-", "_")} {{ similarIncidents(text: "{text}") {{ mode }} }}')).values(),
        *(await api.ask(GET.replace("rr-1", SECRET))).values(),
        *(await api.ask(f'{{ remediationAudits(filter: {{name: {{eq: "{SECRET}"}}}}) {{ totalCount }} }}')).values(),
    ]  # fmt: skip

    said = "".join(
        f"{span.name}{dict(span.attributes)}{span.status.description}{span.events}" for span in told
    )
    assert SECRET not in said
    assert "payment-api" not in said
    assert len(told) > 10


async def test_what_the_caller_got_wrong_is_told_and_is_no_failure(api: Traced) -> None:
    operation = (await api.ask(CREATE, input=remediation_input(name="<script>")))["mutation Create"]

    assert operation.attributes["datastorage.errors"] == "VALIDATION"
    assert operation.status.status_code is StatusCode.UNSET


async def test_an_outage_marks_the_operation_as_failed() -> None:
    async with traced(NOWHERE) as api:
        operation = (await api.ask(GET))["query One"]

    assert operation.attributes["datastorage.errors"] == "UNAVAILABLE"
    assert (operation.attributes["error.type"], operation.status.status_code) == (
        "UNAVAILABLE",
        StatusCode.ERROR,
    )
    assert operation.status.description is None


async def test_a_statement_that_fails_is_marked_by_its_state(api: Traced) -> None:
    async with api.deps.database.write() as session:
        await session.exec_driver_sql("DROP TABLE remediation_event CASCADE")
        await session.commit()

    failed = (await api.ask(CREATE, input=remediation_input()))["INSERT"]

    assert (failed.attributes["error.type"], failed.status.status_code) == ("42P01", StatusCode.ERROR)


async def test_probes_and_the_services_own_work_have_none(api: Traced) -> None:
    await api.client.http.get("/health")
    await api.client.http.get("/ready")
    await api.deps.database.ping()

    assert api.exporter.get_finished_spans() == ()


async def test_a_caller_that_does_not_want_a_trace_gets_none(api: Traced) -> None:
    spans = await api.ask(GET, {"traceparent": PARENT["traceparent"].removesuffix("01") + "00"})

    assert spans == {}


async def test_log_lines_name_the_trace_that_was_begun_here(
    api: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    with logs_to_be_started(monkeypatch) as start_logs:
        logs = start_logs(log_format="json")
        spans = await api.ask(GET)

        assert lines(logs)[-1]["trace_id"] == f"{spans['POST /graphql'].context.trace_id:032x}"


# --- through, to the embedding endpoint


@pytest.fixture(scope="module")
def endpoint() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer().start()
    yield server
    server.kill()


def asking(endpoint: EmbeddingServer) -> dict[str, Any]:
    return {
        "embedding_provider": ProviderKind.OPENAI,
        "embedding_url": endpoint.url,
        "embedding_model": MODEL,
        "embedding_dimensions": DIMENSIONS,
        "embedding_api_key": KEY,
    }


async def test_the_endpoint_is_asked_within_the_trace_and_for_the_request(
    database_url: URL, endpoint: EmbeddingServer
) -> None:
    async with traced(database_url, **asking(endpoint)) as api:
        spans = await api.ask(CREATE, {**PARENT, "x-request-id": "request-1"}, input=remediation_input())

    call = endpoint.asked()[-1]
    assert call["traceparent"] == f"00-{TRACE}-{spans['embeddings'].context.span_id:016x}-01"
    assert call["x-request-id"] == "request-1"


async def test_without_traces_the_caller_s_context_is_handed_on_as_it_came(
    database_url: URL, endpoint: EmbeddingServer
) -> None:
    settings = Settings(_env_file=None, pool_size=9, **asking(endpoint))
    async with dependencies(database_url, settings) as deps:
        app = build_application(build_schema(), settings)
        app.state.deps = deps
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            for number, headers in enumerate((PARENT, {"x-request-id": "request-2"})):
                one = remediation_input(remediationRequestId=f"rr-{number}", errorMessage="abc"[number])
                await http.post(
                    "/graphql", json={"query": CREATE, "variables": {"input": one}}, headers=headers
                )

    first, second = endpoint.asked()[-2:]
    assert first["traceparent"] == PARENT["traceparent"]
    assert (second.get("traceparent"), second["x-request-id"]) == (None, "request-2")


# --- on and off


def test_they_are_off_unless_wanted_and_cost_not_even_the_import() -> None:
    assert configured_spans(Settings(_env_file=None)) is None
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, datastorage.app; print('datastorage.observability.tracing' in sys.modules)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert loaded.stdout == "False\n"


def test_without_the_extra_the_start_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "datastorage.observability.tracing")

    with pytest.raises(
        StartupError, match=r"DATASTORAGE_TRACES_URL is set, .*: pip install 'datastorage\[otel\]'"
    ):
        configured_spans(Settings(_env_file=None, traces_url="http://127.0.0.1:4318"))


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, ExportTraceServiceRequest]]]]:
    """Whatever speaks OTLP over HTTP: its address, and what was sent there."""
    received: list[tuple[str, ExportTraceServiceRequest]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
def test_spans_are_sent_to_a_collector_at_the_latest_when_the_service_ends(
    collector: tuple[str, list[tuple[str, ExportTraceServiceRequest]]],
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, received = collector
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    spans = configured_spans(Settings(_env_file=None, traces_url=url + path))

    with spans.request("POST /graphql", PARENT, {"http.request.method": "POST"}):
        pass
    spans.close()

    ((place, sent),) = received
    (of_resource,) = sent.resource_spans
    told = {attribute.key: attribute.value.string_value for attribute in of_resource.resource.attributes}
    (span,) = of_resource.scope_spans[0].spans
    assert place == "/v1/traces"
    assert (told["service.name"], told["deployment.environment.name"]) == ("data-storage-service", "test")
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == ("POST /graphql", TRACE, CALLER)


def test_a_share_of_the_requests_is_traced() -> None:
    exporter = InMemorySpanExporter()
    spans = OpenTelemetrySpans(SimpleSpanProcessor(exporter), sampled=0.25)

    for _ in range(2_000):
        with spans.request("POST /graphql", {}, {}):
            pass

    assert 350 < len(exporter.get_finished_spans()) < 650
