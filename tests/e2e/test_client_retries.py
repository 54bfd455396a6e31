"""The Python client when a service is away, slow or newer: a real HTTP server answers as such a service would."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from datastorage.client import (
    AsyncDataStorage,
    CreateRemediationAuditInput,
    CreateRemediationAuditPayload,
    DataStorage,
    DataStorageError,
    Forbidden,
    Phase,
    QueryFailed,
    RequestTooLarge,
    Retries,
    Unavailable,
    UnexpectedAnswer,
    ValidationFailed,
)
from support.records import VALID
from support.service import Service

QUICK = Retries(wait_s_first=0.001, wait_s_max=0.002, attempts_max=4)
AUDIT = {
    **VALID,
    "id": "x",
    "databaseId": 1,
    "version": 1,
    "status": "PENDING",
    "actionParameters": {},
    "endTime": None,
    "durationMs": None,
    "targetKind": "Deployment",
    "targetNamespace": None,
    "targetName": "payment-api",
    "errorMessage": None,
    "resolution": None,
    "metadata": {},
    "createdAt": "2026-01-01T12:00:00Z",
    "updatedAt": "2026-01-01T12:00:00Z",
}
STORED = {
    "__typename": "CreateRemediationAuditPayload",
    "remediationAudit": AUDIT,
    "receipt": {"replayed": False, "similarity": "INDEXED", "redactions": []},
}
AWAY = {
    "__typename": "UnavailableError",
    "message": "the database is away",
    "code": "UNAVAILABLE",
    "retryable": True,
    "outcomeUnknown": True,
}


@dataclass
class Reply:
    """One answer of the server."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def created(result: dict[str, Any]) -> Reply:
    return Reply({"data": {"createRemediationAudit": result}})


def failure(code: str, **details: Any) -> Reply:
    return Reply({"data": None, "errors": [{"message": "no", "extensions": {"code": code, **details}}]})


class Stage:
    """A server that gives its replies in turn, then the last one for ever; or what a service says."""

    def __init__(self, *replies: Reply, behind: str = "") -> None:
        self.replies, self.behind = list(replies), behind
        self.asked: list[dict[str, Any]] = []
        self.headers: dict[str, str] = {}
        self.url = ""

    def reply(self, body: bytes, headers: dict[str, str]) -> Reply:
        self.headers = headers
        self.asked.append(json.loads(body))
        if self.replies and (self.behind or len(self.replies) > 1):
            return self.replies.pop(0)
        return self.replies[0] if self.replies else self._proxied(body)

    def _proxied(self, body: bytes) -> Reply:
        answer = httpx.post(
            f"{self.behind}/graphql", content=body, headers={"content-type": "application/json"}, timeout=60
        )
        return Reply(answer.json(), answer.status_code)


@contextmanager
def server(stage: Stage, port: int = 0) -> Iterator[Stage]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["content-length"]))
            reply = stage.reply(asked, {name.lower(): value for name, value in self.headers.items()})
            body = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"content-length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as http:
        stage.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stage
        finally:
            http.shutdown()
            thread.join()


@pytest.fixture
def on_stage() -> Iterator[Callable[..., Stage]]:
    """Starts servers."""
    with ExitStack() as opened:
        yield lambda *replies, behind="": opened.enter_context(server(Stage(*replies, behind=behind)))


def given(**fields: Any) -> CreateRemediationAuditInput:
    return CreateRemediationAuditInput.model_validate({**VALID, **fields})


OnStage = Callable[..., Stage]


async def test_a_service_that_is_away_twice_gets_the_write_at_the_third_attempt(
    service: Service, on_stage: OnStage
) -> None:
    away = Reply("<html>maintenance</html>", 503, {"retry-after": "0.02"})
    stage = on_stage(away, away, behind=service.url)

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        stored = await memory.create_remediation_audit(given(remediationRequestId="client-retried"))

    assert stored.receipt.replayed is False
    assert len(stage.asked) == 3
    assert stage.asked[0] == stage.asked[1] == stage.asked[2]


def test_without_asyncio_it_does_too(service: Service, on_stage: OnStage) -> None:
    stage = on_stage(Reply("", 502), Reply("", 429), behind=service.url)

    with DataStorage(stage.url, retries=QUICK) as memory:
        stored = memory.create_remediation_audit(given(remediationRequestId="client-retried-sync"))

    assert stored.receipt.replayed is False
    assert len(stage.asked) == 3


def test_a_service_that_starts_later_than_the_client_is_waited_for() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    failed_once = threading.Event()
    http = httpx.Client(event_hooks={"request": [lambda _: failed_once.set()]})
    outcome: list[Any] = []
    patient = Retries(wait_s_first=0.05, attempts_max=1000)

    def ask() -> None:
        with DataStorage(f"http://127.0.0.1:{port}", retries=patient, http=http) as memory:
            outcome.append(memory.remediation_audit(request_id="rr-1"))

    asking = threading.Thread(target=ask)
    asking.start()
    assert failed_once.wait(60)
    with server(Stage(Reply({"data": {"remediationAudit": AUDIT}})), port):
        asking.join(60)
    http.close()

    assert [each.phase for each in outcome] == [Phase.PENDING]


async def test_a_service_that_stays_away_is_given_up_with_a_typed_error(on_stage: OnStage) -> None:
    stage = on_stage(Reply("", 503))

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        with pytest.raises(Unavailable) as gone:
            await memory.remediation_audit(request_id="rr-1")

    assert len(stage.asked) == 4
    assert gone.value.__notes__[0].startswith("given up after 4 attempts")


async def test_a_wait_that_the_total_does_not_allow_is_not_begun(on_stage: OnStage) -> None:
    stage = on_stage(Reply("", 503, {"retry-after": "3600"}))

    async with AsyncDataStorage(stage.url) as memory:
        with pytest.raises(Unavailable) as gone:
            await memory.remediation_audit(request_id="rr-1")

    assert gone.value.retry_after_s == 3600
    assert len(stage.asked) == 1


async def test_a_cancelled_call_does_not_wait_for_its_next_attempt(on_stage: OnStage) -> None:
    stage = on_stage(Reply("", 503))

    async with AsyncDataStorage(
        stage.url, retries=Retries(wait_s_first=3600, wait_s_max=3600, total_s_max=10_000)
    ) as memory:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await memory.remediation_audit(request_id="rr-1")

    assert len(stage.asked) == 1


async def test_nobody_there_is_unavailable_and_nothing_was_written(unused_url: str) -> None:
    async with AsyncDataStorage(unused_url, retries=QUICK) as memory:
        with pytest.raises(Unavailable) as gone:
            await memory.create_remediation_audit(given())

    assert gone.value.outcome_unknown is False
    assert unused_url in str(gone.value)


async def test_an_answer_that_is_too_late_leaves_the_outcome_of_a_write_unknown(on_stage: OnStage) -> None:
    released = threading.Event()

    class Late(Stage):
        def reply(self, body: bytes, headers: dict[str, str]) -> Reply:
            released.wait(60)
            return super().reply(body, headers)

    with server(Late(created(STORED))) as stage:
        once = Retries(attempts_max=1)
        async with AsyncDataStorage(stage.url, timeout_s=0.05, retries=once) as memory:
            with pytest.raises(Unavailable) as write:
                await memory.create_remediation_audit(given())
            with pytest.raises(Unavailable) as read:
                await memory.remediation_audit(request_id="rr-1")
        released.set()

    assert (write.value.outcome_unknown, read.value.outcome_unknown) == (True, False)


@pytest.mark.parametrize(
    "away",
    [
        created(AWAY),
        failure("UNAVAILABLE", retryable=True),
        failure("TIMEOUT"),
        failure("RATE_LIMITED"),
        failure("SOMETHING_NEW", retryable=True),
    ],
)
async def test_what_may_succeed_later_is_tried_again(on_stage: OnStage, away: Reply) -> None:
    stage = on_stage(away, created(STORED))

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        stored = await memory.create_remediation_audit(given())

    assert stored.remediation_audit.remediation_request_id == "rr-1"
    assert len(stage.asked) == 2


async def test_an_outage_that_lasts_tells_that_the_outcome_is_unknown(on_stage: OnStage) -> None:
    stage = on_stage(created(AWAY))

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        with pytest.raises(Unavailable, match="the database is away") as gone:
            await memory.create_remediation_audit(given())

    assert gone.value.outcome_unknown is True


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (
            created(
                {"__typename": "ForbiddenError", "message": "no", "code": "FORBIDDEN", "retryable": False}
            ),
            Forbidden,
            "FORBIDDEN",
        ),
        (
            created({"__typename": "QuotaError", "message": "full", "code": "QUOTA", "retryable": False}),
            DataStorageError,
            "QUOTA",
        ),
        (failure("FORBIDDEN"), Forbidden, "FORBIDDEN"),
        (failure("UNAUTHENTICATED"), Forbidden, "UNAUTHENTICATED"),
        (failure("INTERNAL"), QueryFailed, "INTERNAL"),
        (
            failure("BAD_USER_INPUT", faults=[{"field": "f", "reason": "INVALID", "message": "m"}]),
            ValidationFailed,
            "BAD_USER_INPUT",
        ),
        (Reply("sign in first", 401), Forbidden, "UNAUTHENTICATED"),
        (Reply("<html>too large</html>", 413), RequestTooLarge, "REQUEST_TOO_LARGE"),
        (Reply("<html>welcome</html>"), UnexpectedAnswer, "UNEXPECTED_ANSWER"),
        (Reply([]), UnexpectedAnswer, "UNEXPECTED_ANSWER"),
        (Reply("", 302, {"location": "/login"}), UnexpectedAnswer, "UNEXPECTED_ANSWER"),
        (
            created({"__typename": "CreateRemediationAuditPayload"}),
            UnexpectedAnswer,
            "UNEXPECTED_ANSWER",
        ),
    ],
)
async def test_what_will_not_succeed_later_is_raised_at_once(
    on_stage: OnStage, reply: Reply, error: type[DataStorageError], code: str
) -> None:
    stage = on_stage(reply)

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        with pytest.raises(DataStorageError) as raised:
            await memory.create_remediation_audit(given())

    assert (type(raised.value), raised.value.code, raised.value.retryable) == (error, code, False)
    assert len(stage.asked) == 1


async def test_of_a_batch_only_what_may_succeed_later_is_sent_again(on_stage: OnStage) -> None:
    stage = on_stage(
        Reply({"data": {"createRemediationAudits": [STORED, AWAY, STORED, AWAY]}}),
        Reply({"data": {"createRemediationAudits": [AWAY, STORED]}}),
        Reply({"data": {"createRemediationAudits": [AWAY]}}),
    )
    inputs = [given(remediationRequestId=f"rr-{number}") for number in range(4)]

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        outcomes = [outcome async for outcome in memory.create_remediation_audits(inputs)]

    sent = [[each["remediationRequestId"] for each in asked["variables"]["inputs"]] for asked in stage.asked]
    assert sent == [["rr-0", "rr-1", "rr-2", "rr-3"], ["rr-1", "rr-3"], ["rr-1"], ["rr-1"]]
    assert isinstance(outcomes.pop(1), Unavailable)
    assert all(isinstance(outcome, CreateRemediationAuditPayload) for outcome in outcomes)


async def test_of_an_atomic_batch_everything_is_sent_again(on_stage: OnStage) -> None:
    held = {
        "__typename": "ConflictError",
        "message": "held",
        "code": "CONFLICT",
        "retryable": False,
        "fields": [],
    }
    stage = on_stage(
        Reply({"data": {"createRemediationAudits": [held, AWAY]}}),
        Reply({"data": {"createRemediationAudits": [STORED, STORED]}}),
    )
    inputs = [given(remediationRequestId=f"rr-{number}") for number in range(2)]

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        outcomes = [outcome async for outcome in memory.create_remediation_audits(inputs, atomic=True)]

    assert [len(asked["variables"]["inputs"]) for asked in stage.asked] == [2, 2]
    assert all(isinstance(outcome, CreateRemediationAuditPayload) for outcome in outcomes)


async def test_a_batch_that_a_proxy_finds_too_large_is_sent_in_halves(on_stage: OnStage) -> None:
    one = Reply({"data": {"createRemediationAudits": [STORED]}})
    stage = on_stage(Reply("too large", 413), one, Reply("too large", 413))
    inputs = [given(remediationRequestId=f"rr-{number}") for number in range(2)]

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        first, second = [outcome async for outcome in memory.create_remediation_audits(inputs)]

    assert isinstance(first, CreateRemediationAuditPayload)
    assert isinstance(second, RequestTooLarge)
    assert len(stage.asked) == 3


async def test_a_batch_stops_when_the_service_stays_away(on_stage: OnStage) -> None:
    stage = on_stage(Reply("", 503))

    async with AsyncDataStorage(stage.url, retries=QUICK) as memory:
        with pytest.raises(Unavailable):
            await anext(memory.create_remediation_audits([given()]))

    assert len(stage.asked) == 4


async def test_values_and_fields_of_a_newer_service_are_no_trouble(on_stage: OnStage) -> None:
    newer = {**AUDIT, "phase": "VERIFYING", "riskScore": 7}
    stage = on_stage(Reply({"data": {"remediationAudit": newer}}))

    async with AsyncDataStorage(stage.url) as memory:
        audit = await memory.remediation_audit(request_id="rr-1")

    assert (audit.phase, audit.phase in set(Phase), isinstance(audit.phase, Phase)) == (
        "VERIFYING",
        False,
        True,
    )


async def test_a_record_of_a_newer_kind_says_so(on_stage: OnStage) -> None:
    newer = {"__typename": "ApprovalAudit"}
    stage = on_stage(Reply({"data": {"RemediationAudit": newer, "WorkflowAudit": newer}}))

    async with AsyncDataStorage(stage.url) as memory:
        with pytest.raises(UnexpectedAnswer, match="ApprovalAudit"):
            await memory.node("x")


async def test_headers_say_who_asks(on_stage: OnStage) -> None:
    stage = on_stage(Reply({"data": {"remediationAudit": None}}))

    async with AsyncDataStorage(
        stage.url, actor="my-controller", token="s3cret", headers={"X-Tenant": "a"}
    ) as memory:
        await memory.remediation_audit(request_id="rr-1")

    told = {name: stage.headers[name] for name in ("x-actor", "authorization", "x-tenant")}
    assert told == {"x-actor": "my-controller", "authorization": "Bearer s3cret", "x-tenant": "a"}
    assert stage.headers["user-agent"].startswith("datastorage-client/")
    assert "application/graphql-response+json" in stage.headers["accept"]


async def test_a_client_of_ones_own_stays_open(on_stage: OnStage) -> None:
    stage = on_stage(Reply({"data": {"remediationAudit": None}}))

    async with httpx.AsyncClient() as http:
        async with AsyncDataStorage(stage.url, http=http) as memory:
            await memory.remediation_audit(request_id="rr-1")
        assert http.is_closed is False


@pytest.fixture
def unused_url() -> str:
    """Where nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{reserved.getsockname()[1]}"
