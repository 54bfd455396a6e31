"""What the one line of a request says: errors by their codes, the trace it belongs to, the same keys in every line."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from datastorage.errors import Unavailable
from datastorage.services.background import running
from support.client import CREATE, UPDATE, GraphQLClient
from support.logs import StartLogs, Terminal, lines, logs_to_be_started
from support.records import remediation_input

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
BATCH = """mutation($i: [CreateRemediationAuditInput!]!, $u: [UpsertRemediationAuditInput!]!) {
  createRemediationAudits(inputs: $i) { __typename }
  upsertRemediationAudits(inputs: $u) { __typename }
}"""
LIST = "query Page($n: Int) { remediationAudits(first: $n) { nodes { name } } }"


@pytest.fixture
def start_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartLogs]:
    with logs_to_be_started(monkeypatch) as start:
        yield start


def request_line(logs: Terminal) -> dict[str, Any]:
    (line,) = [line for line in lines(logs) if line["event"] == "request"]
    return line


# --- errors


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_the_line_has_the_codes_of_all_errors_each_once(
    client: GraphQLClient, start_logs: StartLogs, log_format: str
) -> None:
    two = '{ a: remediationAudit(id: "x") { name } b: remediationAudits(first: 0) { nodes { name } } }'
    logs = start_logs(log_format=log_format)

    await client.ask(two)

    if log_format == "json":
        assert request_line(logs)["errors"] == ["BAD_USER_INPUT"]
    else:
        assert "errors=['BAD_USER_INPUT']" in logs.getvalue()


async def test_a_line_of_a_request_without_errors_speaks_of_none(
    client: GraphQLClient, start_logs: StartLogs
) -> None:
    logs = start_logs(log_format="json")

    await client.ask(LIST, n=1)

    assert "errors" not in request_line(logs)


async def test_errors_that_are_results_are_named_too(client: GraphQLClient, start_logs: StartLogs) -> None:
    await client.create(**remediation_input())
    refused = {
        "CONFLICT": (CREATE, {"input": remediation_input(severity="LOW")}),
        "VALIDATION": (CREATE, {"input": remediation_input(name="<script>")}),
        "INVALID_TRANSITION": (UPDATE, {"input": {"requestId": "rr-1", "phase": "COMPLETED"}}),
        "NOT_FOUND": (UPDATE, {"input": {"requestId": "rr-9", "phase": "COMPLETED"}}),
    }

    for code, (document, variables) in refused.items():
        logs = start_logs(log_format="json")
        await client.ask(document, **variables)
        assert request_line(logs)["errors"] == [code]


async def test_batches_name_the_errors_of_their_items(client: GraphQLClient, start_logs: StartLogs) -> None:
    logs = start_logs(log_format="json")

    await client.ask(
        BATCH,
        i=[remediation_input(), remediation_input(severity="LOW"), remediation_input(name="-")],
        u=[remediation_input(clusterName="another")],
    )

    assert request_line(logs)["errors"] == ["CONFLICT", "VALIDATION"]


async def test_an_operation_that_is_compiled_names_its_errors_alike(
    client: GraphQLClient, start_logs: StartLogs
) -> None:
    await client.ask(LIST, n=1)
    logs = start_logs(log_format="json")

    await client.ask(LIST, n=0)

    assert request_line(logs)["errors"] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/graphql", "BAD_USER_INPUT"),
        ("GET", "/nowhere", "NOT_FOUND"),
        ("PUT", "/graphql", "BAD_USER_INPUT"),
    ],
)
async def test_requests_that_get_nowhere_name_why(
    client: GraphQLClient, start_logs: StartLogs, method: str, path: str, code: str
) -> None:
    logs = start_logs(log_format="json")

    await client.http.request(method, path, content=b"{")

    assert request_line(logs)["errors"] == [code]


# --- the trace


async def test_the_lines_of_a_request_name_the_trace_it_belongs_to(
    client: GraphQLClient, start_logs: StartLogs
) -> None:
    logs = start_logs(log_format="json")

    await client.http.post("/graphql", json={"query": "{ nothing }"}, headers={"traceparent": PARENT})
    structlog.get_logger("any").info("afterwards")

    request, afterwards = lines(logs)
    assert request["trace_id"] == TRACE
    assert "trace_id" not in afterwards


@pytest.mark.parametrize(
    "header",
    [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        PARENT.upper(),
        f"{PARENT}-{'x' * 500}",
        "password=hunter2secret",
    ],
)
async def test_what_names_no_trace_is_left_out(
    client: GraphQLClient, start_logs: StartLogs, header: str
) -> None:
    logs = start_logs(log_format="json")

    await client.http.post("/graphql", json={"query": "{ nothing }"}, headers={"traceparent": header})

    assert "trace_id" not in request_line(logs)
    assert "hunter2secret" not in logs.getvalue()


# --- every line


async def test_every_line_has_the_same_first_keys_also_outside_of_requests(start_logs: StartLogs) -> None:
    logs = start_logs(log_format="json")

    async def fail() -> None:
        raise Unavailable("the database is not available")

    structlog.get_logger("any").info("started")
    async with running("outbox gauges", fail, asyncio.Event().wait):
        while len(lines(logs)) < 2:  # noqa: ASYNC110 -- a line sets no event
            await asyncio.sleep(0)

    started, interrupted = lines(logs)
    assert [list(line)[:5] for line in (started, interrupted)] == [
        ["timestamp", "level", "event", "request_id", "operation"]
    ] * 2
    assert (started["request_id"], started["operation"]) == (None, None)
    assert (interrupted["request_id"], interrupted["operation"]) == (None, "outbox gauges")
