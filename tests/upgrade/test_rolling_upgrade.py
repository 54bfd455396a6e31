"""From the previous release to this one and back, with requests all the while."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy.engine import URL

from support.postgres import cloned
from support.previous_release import PreviousRelease, ran
from support.records import remediation_input
from support.service import HTTP, Service, environment, started, wait_until

CREATE = """
mutation($input: CreateRemediationAuditInput!) { answer: createRemediationAudit(input: $input) {
  __typename ... on CreateRemediationAuditPayload { remediationAudit { version } receipt { similarity } }
  ... on UserError { message } } }
"""
UPDATE = """
mutation($input: UpdateRemediationAuditInput!) { answer: updateRemediationAudit(input: $input) {
  __typename ... on UpdateRemediationAuditPayload { remediationAudit { version phase } } ... on UserError { message } } }
"""
ANALYSE = """
mutation($input: CreateAiAnalysisAuditInput!) { answer: createAiAnalysisAudit(input: $input) {
  __typename ... on UserError { message } } }
"""
READ = """
query($id: String!, $text: String!) {
  remediation(requestId: $id) { audit { version phase } analyses { nodes { analysisId } } events { nodes { version } } }
  similarIncidents(text: $text, first: 1) { mode degradedReason hits { incident { remediationRequestId } } }
  remediationAudits(filter: {remediationRequestId: {eq: $id}}) { totalCount }
  remediationStats { count }
}
"""
TEXTS = {"old": "OOMKilled: the session cache grew", "new": "certificate of the ingress expired"}


@dataclass
class Requests:
    """Writes and reads, one after the other, until told to stop; and what went wrong with them."""

    url: str
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Until `stop`."""
        while not self._stop.is_set():
            self.sent += 1
            draft = remediation_input(remediationRequestId=f"load-{self.sent}", errorMessage="disk is full")
            self._expect(CREATE, {"input": draft}, "CreateRemediationAuditPayload")
            self._expect(READ, {"id": f"load-{self.sent}", "text": "disk is full"}, None)

    def stop(self) -> None:
        self._stop.set()

    def _expect(self, query: str, variables: dict[str, Any], type_name: str | None) -> None:
        answer = HTTP.post(f"{self.url}/graphql", json={"query": query, "variables": variables})
        body = answer.json()
        found = None if type_name is None else (body.get("data") or {}).get("answer", {}).get("__typename")
        if answer.status_code != 200 or "errors" in body or found != type_name:
            self.failures.append(answer.text)


@contextmanager
def under_load(service: Service) -> Iterator[Requests]:
    requests = Requests(service.url)
    thread = threading.Thread(target=requests.go_on)
    thread.start()
    try:
        yield requests
    finally:
        requests.stop()
        thread.join()


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> PreviousRelease:
    return PreviousRelease.unpacked(tmp_path_factory.mktemp("previous"))


@pytest.fixture
def empty(server_url: URL) -> Iterator[URL]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(cloned(server_url, None)) as url,
    ):
        yield url


def write(service: Service, request: str, text: str) -> None:
    """A remediation that is being worked on, and what an agent thinks of it."""
    draft = remediation_input(remediationRequestId=request, errorMessage=text)
    answer = service.ask(CREATE, input=draft)["data"]["answer"]
    assert answer["receipt"] == {"similarity": "INDEXED"}, answer
    analysis = {
        "analysisId": f"an-{request}", "remediationRequestId": request, "provider": "anthropic", "model": "claude",
        "confidenceScore": 0.9, "tokensUsed": 1, "analysisDurationMs": 1,
    }  # fmt: skip
    analysed = service.ask(ANALYSE, input=analysis)["data"]["answer"]
    assert analysed == {"__typename": "CreateAiAnalysisAuditPayload"}


def move(service: Service, request: str, version: int, phase: str) -> None:
    """To the next phase, from exactly this version."""
    change = {"requestId": request, "expectedVersion": version, "phase": phase}
    answer = service.ask(UPDATE, input=change)["data"]["answer"]
    assert answer == {
        "__typename": "UpdateRemediationAuditPayload",
        "remediationAudit": {"version": version + 1, "phase": phase},
    }


def seen(service: Service, request: str, text: str) -> dict[str, Any]:
    """All that a service tells of one remediation."""
    answer = service.ask(READ, id=request, text=text)
    assert "errors" not in answer, answer
    data = answer["data"]
    found = data["similarIncidents"]
    return {
        "version": data["remediation"]["audit"]["version"],
        "phase": data["remediation"]["audit"]["phase"],
        "events": len(data["remediation"]["events"]["nodes"]),
        "analyses": len(data["remediation"]["analyses"]["nodes"]),
        "listed": data["remediationAudits"]["totalCount"],
        "found": [hit["incident"]["remediationRequestId"] for hit in found["hits"]],
        "degraded": found["degradedReason"],
    }


def test_the_previous_release_lives_through_the_migration_beside_this_one_and_after_a_rollback(
    previous: PreviousRelease, empty: URL, tmp_path: Path
) -> None:
    previous.run(empty, "migrate")
    with started(previous.environment(empty)) as old:
        old.await_start()
        write(old, "old", TEXTS["old"])

        with under_load(old) as requests:
            migrated = ran(environment(empty), "migrate")
            after_the_migration = requests.sent
            with started(environment(empty)) as new:
                new.await_start()
                assert (old.probe("/ready")[0], new.probe("/ready")[0]) == (200, 200)
                write(new, "new", TEXTS["new"])
                # Each goes on where the other stopped.
                move(new, "old", 1, "PROCESSING")
                move(old, "old", 2, "COMPLETED")
                move(old, "new", 1, "PROCESSING")
                move(new, "new", 2, "FAILED")
                told = {(side, r): seen(service, r, TEXTS[r]) for side, service in (("old", old), ("new", new))
                        for r in TEXTS}  # fmt: skip
            wait_until(lambda: requests.sent > after_the_migration)

    assert migrated.endswith("the schema is up to date\n")
    assert requests.failures == []
    for request, phase in (("old", "COMPLETED"), ("new", "FAILED")):
        expected = {"version": 3, "phase": phase, "events": 4, "analyses": 1, "listed": 1, "found": [request],
                    "degraded": None}  # fmt: skip
        assert told["old", request] == told["new", request] == expected

    # The rollback: the previous release starts anew on the schema of this one, and takes over what this one wrote.
    with started(previous.environment(empty)) as back:
        back.await_start()
        assert back.probe("/ready")[0] == 200
        move(back, "new", 3, "PROCESSING")
        assert seen(back, "new", TEXTS["new"])["events"] == 5
    assert ran(environment(empty), "migrate", "--check").startswith("schema: at ")
