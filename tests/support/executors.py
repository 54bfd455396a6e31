"""Both executors on one database: what each answers to the same request."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal
from sqlalchemy.engine import URL

from datastorage.graphql.compiled.execution import Execution
from datastorage.graphql.schema import build_schema
from datastorage.observability.labels import Executor
from datastorage.observability.metrics import EXECUTIONS
from datastorage.observability.tallies import hand_over
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import Application, build_application
from support.api import services_from_sync_tests
from support.around import ANALYSIS, EXECUTION, WORKFLOW, around
from support.client import CREATE
from support.records import remediation_input

ERROR_ID = re.compile(rb"[0-9a-f]{32}")  # random, and meant to be


@dataclass(frozen=True)
class Executors:
    """The API twice: with compiled execution and without."""

    portal: BlockingPortal
    compiled: httpx.AsyncClient
    reference: httpx.AsyncClient
    execution: Execution  # of the compiled one
    deps: Dependencies

    def ask(self, client: httpx.AsyncClient, query: str, **variables: Any) -> bytes:
        """Status, headers that matter and body, as bytes; error ids are blanked."""
        return self.portal.call(_asked, client, {"query": query, "variables": variables})

    def both(self, query: str, **variables: Any) -> tuple[bytes, bytes]:
        """What the compiled executor answers once it knows the operation, and what the reference answers."""
        self.ask(self.compiled, query, **variables)
        return self.ask(self.compiled, query, **variables), self.ask(self.reference, query, **variables)

    def know(self, query: str, name: str | None = None) -> None:
        """Compiles a valid document that has never run: one that writes would have written then."""
        self.execution._operations.put((query, name), self.execution._compile(query, name))


async def _asked(client: httpx.AsyncClient, body: dict[str, Any]) -> bytes:
    answer = await client.post("/graphql", json=body)
    head = f"{answer.status_code} {answer.headers['content-type']}\n".encode()
    return head + ERROR_ID.sub(b"", answer.content)


def executed_by(executor: Executor) -> float:
    """How many operations an executor has had."""
    hand_over()
    return EXECUTIONS.labels(executor)._value.get()


@contextmanager
def both_executors(server_url: URL, template: str) -> Iterator[tuple[Executors, Dependencies]]:
    """The two on a migrated, empty database of their own."""
    with services_from_sync_tests(server_url, template) as (portal, deps):
        apps = [_app(deps, compiled=compiled) for compiled in (True, False)]
        compiled, reference = map(_client, apps)
        yield Executors(portal, compiled, reference, apps[0]._endpoint._execution, deps), deps
        for client in (compiled, reference):
            portal.call(client.aclose)


def with_some_of_everything(executors: Executors) -> None:
    """Stores seven remediations that differ, and one of each kind around the first."""
    for number in range(1, 8):
        record = remediation_input(
            remediationRequestId=f"rr-{number}",
            startTime=f"2026-01-01T12:00:0{number}.{number:06}Z",
            name=f"payment-api-{number % 3}",
            phase="FAILED" if number % 2 else "PENDING",
            errorMessage=f"pod <b>{number}</b> & friends: ünïcode, memory exhausted" if number % 3 else None,
            metadata={"summary": "it broke", "z": [1, 2.5, None, {"a": "b"}]} if number % 2 else None,
        )
        executors.ask(executors.reference, CREATE, input=record)
    for field, valid in (
        ("AiAnalysisAudit", ANALYSIS),
        ("WorkflowAudit", WORKFLOW),
        ("ExecutionAudit", EXECUTION),
    ):
        document = (
            f"mutation ($input: Create{field}Input!) {{ create{field}(input: $input) {{ __typename }} }}"
        )
        stored = executors.ask(executors.reference, document, input=around(valid))
        assert f"Create{field}Payload".encode() in stored


def _app(deps: Dependencies, *, compiled: bool) -> Application:
    settings = Settings(_env_file=None, pool_size=9, compiled_execution=compiled)
    app = build_application(build_schema(), settings)
    app.state.deps, app.state.health = deps, Health(deps.database)
    return app


def _client(app: Application) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
