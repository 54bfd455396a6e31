"""What nobody expected is masked and logged under the same id; no secret reaches a client or a log."""

import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy.engine import make_url

from datastorage.repositories.record_reads import RecordReads
from datastorage.repositories.remediation_events import RemediationEvents
from datastorage.services.health import Health
from support.client import GraphQLClient
from support.logs import StartLogs, lines, logs_to_be_started
from support.records import remediation_input

SECRET = "hunter2secret"
CONNECTION = f"postgresql://app:{SECRET}@db.internal:5432/app"
GET = '{ remediationAudit(requestId: "rr-1") { name } }'
FORMATS = ["json", "console"]


@pytest.fixture
def start_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartLogs]:
    with logs_to_be_started(monkeypatch) as start:
        yield start


def break_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        password = SECRET  # a traceback that shows local values would tell it
        raise RuntimeError(f"lost {CONNECTION} with password={password}")

    monkeypatch.setattr(RecordReads, "by_key", broken)


# --- masking


@pytest.mark.parametrize("log_format", FORMATS)
async def test_an_internal_fault_is_answered_with_an_id_and_logged_under_it(
    client: GraphQLClient,
    monkeypatch: pytest.MonkeyPatch,
    start_logs: StartLogs,
    log_format: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs = start_logs(log_format=log_format)
    break_reading(monkeypatch)

    answer = await client.ask(GET)

    error = answer.error
    error_id = error["extensions"]["errorId"]
    assert re.fullmatch(r"[0-9a-f]{32}", error_id)
    assert error["message"] == f"internal error {error_id}"
    assert error["extensions"] == {"code": "INTERNAL", "errorId": error_id}
    assert (error["path"], answer.body["data"]) == (["remediationAudit"], {"remediationAudit": None})

    said = logs.getvalue()
    assert said.count(error_id) == 1
    assert "Traceback (most recent call last)" in said
    assert "in broken" in said
    assert "RuntimeError: lost" in said
    assert SECRET not in said
    assert SECRET not in "".join(capsys.readouterr())


async def test_a_fault_in_a_mutation_is_masked_and_rolled_back(
    client: GraphQLClient, monkeypatch: pytest.MonkeyPatch, start_logs: StartLogs
) -> None:
    logs = start_logs(log_format="json")

    async def broken(*_: object) -> None:
        raise KeyError(CONNECTION)

    with monkeypatch.context() as broken_events:
        broken_events.setattr(RemediationEvents, "add_many", broken)
        answer = await client.ask(
            "mutation($i: CreateRemediationAuditInput!) { createRemediationAudit(input: $i) { __typename } }",
            i=remediation_input(),
        )

    assert answer.error["extensions"]["code"] == "INTERNAL"
    assert SECRET not in json.dumps(answer.body) + logs.getvalue()
    assert (await client.ask(GET)).data == {"remediationAudit": None}


async def test_two_faults_of_one_request_have_ids_of_their_own(
    client: GraphQLClient, monkeypatch: pytest.MonkeyPatch, start_logs: StartLogs
) -> None:
    logs = start_logs(log_format="json")
    break_reading(monkeypatch)

    answer = await client.ask(GET.replace("}", '} again: remediationAudit(requestId: "a") { name }', 1))

    ids = {error["extensions"]["errorId"] for error in answer.body["errors"]}
    logged = {line["error_id"] for line in lines(logs) if line["event"] == "internal_error"}
    assert len(ids) == 2
    assert logged == ids


@pytest.mark.parametrize("log_format", FORMATS)
async def test_a_fault_outside_of_the_resolvers_is_masked_alike(
    client: GraphQLClient,
    monkeypatch: pytest.MonkeyPatch,
    start_logs: StartLogs,
    log_format: str,
) -> None:
    logs = start_logs(log_format=log_format)

    async def broken(_: Health) -> None:
        raise RuntimeError(CONNECTION)

    monkeypatch.setattr(Health, "readiness", broken)

    answer = await client.http.get("/ready", headers={"x-request-id": "probe-1"})

    (error,) = answer.json()["errors"]
    error_id = error["extensions"]["errorId"]
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "probe-1")
    assert error == {
        "message": f"internal error {error_id}",
        "extensions": {"code": "INTERNAL", "errorId": error_id},
    }
    said = logs.getvalue()
    assert said.count(error_id) == 1
    assert "in broken" in said
    assert SECRET not in said


# --- what a line holds


async def test_every_line_of_a_request_has_its_id_and_its_operation(
    client: GraphQLClient, monkeypatch: pytest.MonkeyPatch, start_logs: StartLogs
) -> None:
    logs = start_logs(log_format="json")
    break_reading(monkeypatch)

    await client.http.post(
        "/graphql", json={"query": f"query NewestOne {GET}"}, headers={"x-request-id": "request-1"}
    )
    await client.http.get("/nowhere", headers={"x-request-id": "request-2"})

    fault, request, other = lines(logs)
    assert list(fault)[:5] == ["timestamp", "level", "event", "request_id", "operation"]
    assert (fault["level"], fault["event"], fault["request_id"], fault["operation"]) == (
        "error",
        "internal_error",
        "request-1",
        "query NewestOne",
    )
    assert {
        name: request[name] for name in ("event", "request_id", "operation", "method", "path", "status")
    } == {
        "event": "request",
        "request_id": "request-1",
        "operation": "query NewestOne",
        "method": "POST",
        "path": "/graphql",
        "status": 200,
    }
    assert (other["request_id"], other["operation"], other["status"]) == ("request-2", "/nowhere", 404)


@pytest.mark.parametrize(
    ("document", "name", "label"),
    [
        ("{ __typename }", None, "query"),
        ("  {__typename}", None, "query"),
        ("query { __typename }", None, "query"),
        ("query Page($n: Int) { __typename }", None, "query Page"),
        ("mutation Store { a }", None, "mutation Store"),
        ("query A { __typename } mutation B { a }", "B", "mutation B"),
        ("query A { __typename }", f"password={SECRET}", "query"),
        ("query " + "x" * 1000 + " { __typename }", None, "query " + "x" * 100),
    ],
)
async def test_the_operation_is_named_without_trusting_the_client(
    client: GraphQLClient, start_logs: StartLogs, document: str, name: str | None, label: str
) -> None:
    logs = start_logs(log_format="json")

    await client.http.post("/graphql", json={"query": document, "operationName": name})

    assert lines(logs)[-1]["operation"] == label


async def test_probes_are_not_logged_unless_asked_for(client: GraphQLClient, start_logs: StartLogs) -> None:
    logs = start_logs(log_format="json")
    await client.http.get("/health")
    await client.http.get("/ready")
    assert logs.getvalue() == ""

    logs = start_logs(log_format="json", log_level="DEBUG")
    await client.http.get("/health")
    assert [line["path"] for line in lines(logs) if line["event"] == "request"] == ["/health"]


# --- the pipeline


@pytest.mark.parametrize("log_format", FORMATS)
def test_secrets_are_redacted_wherever_they_stand_in_a_line(start_logs: StartLogs, log_format: str) -> None:
    logs = start_logs(log_format=log_format)
    log = structlog.get_logger("any")

    log.info(CONNECTION)
    log.info(
        "nested", where={"urls": [CONNECTION, (CONNECTION,)], CONNECTION: 1}, count=3, none=None, yes=True
    )
    log.warning("objects", url=make_url(CONNECTION), error=ValueError(CONNECTION), raw=CONNECTION.encode())
    logging.getLogger("library").warning("password=%s", SECRET)
    logging.getLogger("library").error("failed", extra={"url": CONNECTION})
    try:
        lose_connection()
    except ConnectionError:
        logging.getLogger("library").exception("lost %s", CONNECTION)
        log.exception("lost")

    said = logs.getvalue()
    assert SECRET not in said
    assert said.count("[REDACTED:") >= 9
    assert said.count("ConnectionError: ") == 2


def lose_connection() -> None:
    raise ConnectionError(CONNECTION)


def test_custom_patterns_are_redacted_too(start_logs: StartLogs) -> None:
    logs = start_logs(log_format="json", redaction_patterns={"ticket": r"TICKET-\d+"})

    structlog.get_logger("any").info("see TICKET-4711")

    assert lines(logs)[0]["event"] == "see [REDACTED:ticket]"


def test_lines_are_json_in_a_pipe_and_for_people_on_a_terminal(start_logs: StartLogs) -> None:
    piped, shown = start_logs(), None
    structlog.get_logger("any").info("started", port=8080)
    shown = start_logs(is_terminal=True)
    structlog.get_logger("any").info("started", port=8080)

    assert lines(piped)[0]["port"] == 8080
    assert "started" in shown.getvalue()
    assert "\x1b[" in shown.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(shown.getvalue())


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", ["one", "two", "three"]),
        ("Info", ["two", "three"]),
        ("ERROR", ["three"]),
        ("critical", []),
    ],
)
def test_the_level_decides_what_is_logged(start_logs: StartLogs, level: str, events: list[str]) -> None:
    logs = start_logs(log_format="json", log_level=level)
    log = structlog.get_logger("any")

    log.debug("one")
    logging.getLogger("library").info("two")
    log.error("three")

    assert [line["event"] for line in lines(logs)] == events
