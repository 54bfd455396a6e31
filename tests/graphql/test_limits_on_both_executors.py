"""Limits hold whoever executes: Strawberry, or the functions that were generated after an operation has run once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import URL

from datastorage.observability.labels import Executor, ThrottledBy
from datastorage.observability.metrics import THROTTLED
from support.access import Service, served
from support.api import Api, opened_api
from support.client import Answer
from support.executors import executed_by
from support.records import remediation_input

PAGE = "query Page($n: Int = 2) { remediationAudits(first: $n) { nodes { name analyses(first: 3) { nodes { id } } } } }"
UNAVAILABLE = "... on UnavailableError { message code retryable outcomeUnknown }"
CREATE = f"""mutation Create($input: CreateRemediationAuditInput!) {{
  createRemediationAudit(input: $input) {{ __typename {UNAVAILABLE} }} }}"""
CREATE_MANY = f"""mutation Many($inputs: [CreateRemediationAuditInput!]!) {{
  createRemediationAudits(inputs: $inputs) {{ __typename {UNAVAILABLE} }} }}"""
LATE = {
    "__typename": "UnavailableError",
    "message": "the request took too long; repeat it to learn its outcome",
    "code": "UNAVAILABLE",
    "retryable": True,
    "outcomeUnknown": True,
}
NOT_BEGUN = LATE | {"message": "the request took too long; try again", "outcomeUnknown": False}


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as api:
        yield api


@dataclass
class Limited:
    """A service with limits, as an executor answers there."""

    service: Service
    executor: Executor

    async def ask(self, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Answer:
        """Executed by the executor that the test is about."""
        before = executed_by(self.executor)
        answer = await self.service.ask(query, headers, **variables)
        assert executed_by(self.executor) - before == 1, self.executor
        return answer

    async def prepare(self, query: str, **variables: Any) -> None:
        """Lets an operation run once, after which it is compiled where anything is."""
        assert "errors" not in (await self.service.ask(query, **variables)).body

    async def late(
        self,
        api: Api,
        query: str,
        *,
        table: str = "remediation_audit",
        timeout_s: float = 0.2,
        **variables: Any,
    ) -> Answer:
        """The answer to a request whose statements wait for a lock until its time is over."""
        endpoint = self.service.app._endpoint
        before, endpoint._timeout_s = endpoint._timeout_s, timeout_s
        try:
            async with api.sql.transaction():
                await api.sql.execute(f"LOCK TABLE {table}")
                return await self.ask(query, **variables)
        finally:
            endpoint._timeout_s = before


Opened = Callable[..., Any]


@pytest.fixture(params=[Executor.REFERENCE, Executor.COMPILED])
def limited(api: Api, request: pytest.FixtureRequest) -> Opened:
    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncIterator[Limited]:
        compiled = request.param is Executor.COMPILED
        deps = replace(api.deps, batch_rows_max=settings.get("batch_rows_max", 500))
        async with served(deps, compiled_execution=compiled, **settings) as service:
            yield Limited(service, request.param)

    return opened


async def held_up(api: Api) -> None:
    """Waits until a statement of the service waits for the test's lock."""
    waiting = """SELECT count(*) FROM pg_locks WHERE NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    async with asyncio.timeout(60):
        while not await api.sql.fetchval(waiting):  # noqa: ASYNC110 -- PostgreSQL has no event for it
            await asyncio.sleep(0.01)


async def stored(api: Api, *keys: str) -> int:
    return await api.sql.fetchval(
        "SELECT count(*) FROM remediation_audit WHERE remediation_request_id = ANY($1)", list(keys)
    )


# --- cost


@pytest.mark.parametrize(("variables", "cost"), [({}, 11), ({"n": 10}, 51), ({"n": 100}, 501)])
async def test_the_cost_is_shown_to_who_asks(limited: Opened, variables: dict[str, int], cost: int) -> None:
    async with limited() as service:
        await service.prepare(PAGE)
        shown = await service.ask(PAGE, {"x-show-cost": "1"}, **variables)
        unasked = await service.ask(PAGE, **variables)
        declined = await service.ask(PAGE, {"x-show-cost": "0"}, **variables)

    assert shown.body["extensions"] == {"cost": {"found": cost, "max": 20_000}}
    assert unasked.body == declined.body == {"data": shown.body["data"]}


async def test_what_costs_too_much_with_these_variables_is_refused_and_its_cost_shown(
    limited: Opened,
) -> None:
    async with limited(query_cost_max=100) as service:
        await service.prepare(PAGE)
        allowed = await service.ask(PAGE, n=19)
        refused = await service.ask(PAGE, {"x-show-cost": "1"}, n=20)

    assert "errors" not in allowed.body
    assert refused.body == {
        "errors": [
            {
                "message": "the cost of the operation is 101, 100 is allowed: ask for smaller pages or fewer levels",
                "extensions": {"code": "COST_EXCEEDED", "limit": "cost", "found": 101, "max": 100},
            }
        ],
        "extensions": {"cost": {"found": 101, "max": 100}},
    }


async def test_a_document_that_cannot_be_read_has_no_cost(api: Api) -> None:
    async with served(api.deps) as service:
        answer = await service.ask("{", {"x-show-cost": "1"})

    assert "extensions" not in answer.body


# --- batches


async def test_a_batch_of_more_than_is_allowed_is_refused(limited: Opened, api: Api) -> None:
    inputs = [remediation_input(remediationRequestId=f"rr-many-{number}") for number in range(3)]

    async with limited(batch_rows_max=2) as service:
        await service.prepare(CREATE_MANY, inputs=[])
        answer = await service.ask(CREATE_MANY, inputs=inputs)

    assert answer.error["message"] == "inputs: holds 3 items; at most 2 are allowed"
    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert await stored(api, "rr-many-0", "rr-many-1", "rr-many-2") == 0


async def test_a_body_of_more_bytes_than_are_allowed_is_refused(limited: Opened) -> None:
    async with limited(request_body_bytes_max=1_024) as service:
        await service.prepare(PAGE)
        padding = " " * (1_024 - len(f'{{"query":"{PAGE}"}}'))
        answers = [
            await service.service.http.post("/graphql", json={"query": PAGE + padding + more})
            for more in ("", " ")
        ]

    assert [answer.status_code for answer in answers] == [200, 413]
    assert answers[1].json()["errors"][0]["message"] == "the body is larger than 1024 bytes"


# --- requests in flight


async def test_one_request_more_than_are_worked_on_is_told_to_come_back(limited: Opened, api: Api) -> None:
    refusals = THROTTLED.labels(ThrottledBy.IN_FLIGHT)
    before = refusals._value.get()
    async with limited(requests_in_flight_max=1) as service:
        await service.prepare(PAGE)
        async with api.sql.transaction():
            await api.sql.execute("LOCK TABLE remediation_audit")
            first = asyncio.ensure_future(service.ask(PAGE))
            await held_up(api)
            second: httpx.Response = await service.service.http.post("/graphql", json={"query": PAGE})
        answered = await first
        third = await service.ask(PAGE)

    assert (second.status_code, second.headers["retry-after"]) == (503, "1")
    assert second.json() == {
        "errors": [
            {
                "message": "the service has too much to do; try again",
                "extensions": {"code": "UNAVAILABLE", "retryable": True},
            }
        ]
    }
    assert (answered.status, third.status) == (200, 200)
    assert refusals._value.get() - before == 1


async def test_a_place_is_free_again_after_a_request_that_failed(limited: Opened) -> None:
    async with limited(requests_in_flight_max=1, query_cost_max=100) as service:
        await service.prepare(PAGE)
        for n in (100, 101, 100):
            assert "errors" in (await service.ask(PAGE, n=n)).body
        assert "errors" not in (await service.ask(PAGE)).body


async def test_a_client_that_is_slow_to_send_holds_no_place(api: Api) -> None:
    async with served(api.deps, requests_in_flight_max=1) as service:
        sent = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b'{"query": '
            await sent.wait()
            yield b'"{ __typename }"}'

        headers = {"content-type": "application/json"}
        slow = asyncio.ensure_future(service.http.post("/graphql", content=slowly(), headers=headers))
        quick = await service.ask(PAGE)
        sent.set()

        assert (quick.status, (await slow).status_code) == (200, 200)


# --- deadlines


async def test_a_query_beyond_its_time_is_ended(limited: Opened, api: Api) -> None:
    async with limited() as service:
        await service.prepare(PAGE)
        answer = await service.late(api, PAGE)

    assert answer.status == 504
    assert answer.error == {
        "message": "the request took too long; narrow it or try again",
        "extensions": {"code": "TIMEOUT", "retryable": True, "outcomeUnknown": False},
    }
    assert not any(use.in_use for use in api.deps.database.pools().values())


async def test_a_mutation_in_its_transaction_does_not_know_its_outcome(limited: Opened, api: Api) -> None:
    key = f"rr-late-{id(limited)}"
    async with limited() as service:
        await service.prepare(CREATE, input=remediation_input(remediationRequestId="rr-in-time"))
        given = remediation_input(remediationRequestId=key)
        answer = await service.late(api, CREATE, timeout_s=1, input=given)

        assert (answer.status, answer.data["createRemediationAudit"]) == (200, LATE)
        await api.deps.writes.close()
        assert await stored(api, key) == 1  # what was begun goes on
        again = await service.ask(CREATE, input=given)

    assert again.data["createRemediationAudit"]["__typename"] == "CreateRemediationAuditPayload"


async def test_a_batch_beyond_its_time_tells_it_of_each_item(limited: Opened, api: Api) -> None:
    keys = [f"rr-late-{id(limited)}-{number}" for number in range(2)]
    inputs = [remediation_input(remediationRequestId=key) for key in keys]
    async with limited() as service:
        await service.prepare(CREATE_MANY, inputs=[])
        answer = await service.late(api, CREATE_MANY, timeout_s=1, inputs=inputs)

    assert answer.data["createRemediationAudits"] == [LATE, LATE]
    await api.deps.writes.close()
    assert await stored(api, *keys) == 2


async def test_fields_before_a_late_one_keep_their_answer_and_those_behind_are_not_begun(
    limited: Opened, api: Api
) -> None:
    three = f"""mutation Three($a: CreateRemediationAuditInput!, $w: CreateWorkflowAuditInput!,
      $b: CreateRemediationAuditInput!) {{
      a: createRemediationAudit(input: $a) {{ __typename }}
      w: createWorkflowAudit(input: $w) {{ __typename {UNAVAILABLE} }}
      b: createRemediationAudit(input: $b) {{ __typename {UNAVAILABLE} }} }}"""
    workflow = {"remediationRequestId": "rr-1", "phase": "EXECUTING", "totalSteps": 2, "completedSteps": 1}
    workflow["startTime"] = "2026-01-01T12:00:00Z"

    def given(mark: str) -> dict[str, Any]:
        first, second = (remediation_input(remediationRequestId=f"rr-{mark}-{each}") for each in "ab")
        return {"a": first, "b": second, "w": workflow | {"workflowId": f"wf-{mark}"}}

    mark = f"three-{id(limited)}"
    async with limited() as service:
        await service.prepare(three, **given("before"))
        answer = await service.late(api, three, table="workflow_audit", timeout_s=1, **given(mark))

    assert answer.data == {"a": {"__typename": "CreateRemediationAuditPayload"}, "w": LATE, "b": NOT_BEGUN}
    assert await stored(api, f"rr-{mark}-a", f"rr-{mark}-b") == 1


# --- what the schema is


async def test_the_schema_is_not_told_where_that_is_switched_off(api: Api) -> None:
    async with served(api.deps, introspection=False) as service:
        answer = await service.ask("{ __schema { types { name } } }")
        of_type = await service.ask('{ __type(name: "Query") { name } }')
        name = await service.ask("{ __typename }")

    for refused in (answer, of_type):
        assert "introspection has been disabled" in refused.body["errors"][0]["message"]
        assert refused.body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert "data" not in refused.body
    assert name.data == {"__typename": "Query"}


@pytest.mark.parametrize(
    "query",
    [
        '{ remediationAudit(requestID: "a") { id } }',
        "{ remediationAudits { nodes { nam } } }",
        "{ remediationAudits { nodes { ... on RemediationAudi { id } } } }",
        '{ node(id: "a") { name } }',
        "{ remediationAudits(filter: {phase: {eq: FAILE}}) { nodes { id } } }",
        "{ remediationAudits(filter: {phas: {eq: FAILED}}) { nodes { id } } }",
        "{ remediationAudits { nodes { id @skip(i: true) } } }",
    ],
)
async def test_names_are_told_unless_the_schema_is_hidden(api: Api, query: str) -> None:
    async with served(api.deps) as open_one, served(api.deps, introspection=False) as hiding:
        told, hidden = [
            [error["message"] for error in (await service.ask(query)).body["errors"]]
            for service in (open_one, hiding)
        ]

    assert any("Did you mean" in message for message in told)
    assert hidden == ["The document does not fit the schema, which is hidden here."] * len(told)


@pytest.mark.parametrize("filters", [{"phase": {"eq": "FAILE"}}, {"phas": {"eq": "FAILED"}}])
async def test_nor_are_they_in_variables(limited: Opened, filters: dict[str, Any]) -> None:
    query = "query ($f: RemediationAuditFilter) { remediationAudits(filter: $f) { nodes { id } } }"

    async with limited() as open_one, limited(introspection=False) as hiding:
        for service in (open_one, hiding):
            await service.prepare(query)
        told, hidden = [(await service.ask(query, f=filters)).error for service in (open_one, hiding)]

    assert "Did you mean" in told["message"]
    assert hidden["message"].rstrip(".") == told["message"].partition(" Did you mean")[0].rstrip(".")
    assert hidden["extensions"] == told["extensions"]
