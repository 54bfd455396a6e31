"""`datastorage serve` as a process: the main job over HTTP, and how it starts, refuses to start, and ends."""

import os
import re
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from prometheus_client.mmap_dict import MmapedDict
from sqlalchemy.engine import URL

from support.client import CREATE
from support.command_line import CommandLine, Ended
from support.records import remediation_input
from support.service import PATIENCE_S, Service, environment, postgres_processes, started, wait_until

LIST = "{ remediationAudits(first: 100) { totalCount nodes { remediationRequestId } } }"
GET = "query($r: String!) { remediationAudit(requestId: $r) { name phase targetKind } }"
SIMILAR = """
query($text: String!, $filters: RemediationAuditFilter) {
  similarIncidents(text: $text, filters: $filters, first: 2) {
    hits { similarity incident { remediationRequestId } }
  }
}
"""
FREE_PORTS = ("--port", "0", "--metrics-port", "0")


def create(service: Service, request_id: str, **fields: Any) -> None:
    given = remediation_input(remediationRequestId=request_id, **fields)
    result = service.ask(CREATE, input=given)["data"]["createRemediationAudit"]
    assert result["__typename"] == "CreateRemediationAuditPayload", result


def request_ids(service: Service) -> list[str]:
    return [node["remediationRequestId"] for node in service.ask(LIST)["data"]["remediationAudits"]["nodes"]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- the main job


def test_an_incident_is_stored_listed_read_and_found_by_its_meaning(service: Service) -> None:
    create(service, "oom", errorMessage="container killed: out of memory", startTime="2026-01-01T12:00:00Z")
    create(
        service,
        "disk",
        name="db-disk-full",
        namespace="databases",
        actionType="expand_volume",
        targetResource="StatefulSet/db",
        errorMessage="no space left on device",
        startTime="2026-01-02T12:00:00Z",
    )

    among = {"remediationRequestId": {"in": ["oom", "disk"]}}  # others use the service too

    def similar(text: str, **filters: Any) -> list[str]:
        found = service.ask(SIMILAR, text=text, filters=among | filters)["data"]["similarIncidents"]["hits"]
        assert [hit["similarity"] for hit in found] == sorted(
            (hit["similarity"] for hit in found), reverse=True
        )
        return [hit["incident"]["remediationRequestId"] for hit in found]

    assert [each for each in request_ids(service) if each in ("oom", "disk")] == ["disk", "oom"]
    assert service.ask(GET, r="oom")["data"]["remediationAudit"] == {
        "name": "payment-api-oom",
        "phase": "PENDING",
        "targetKind": "Deployment",
    }
    assert similar("pod was OOM killed, memory limit reached") == ["oom", "disk"]
    assert similar("volume is full, no space left") == ["disk", "oom"]
    assert similar("volume is full, no space left", namespace={"eq": "payments"}) == ["oom"]


# --- the embedded database


def test_what_was_acknowledged_is_there_after_a_kill_and_the_last_process_stops_the_database(
    place: Path,
) -> None:
    http_port, metrics_port = free_port(), free_port()
    variables = environment(place / "data", HTTP_PORT=http_port, METRICS_PORT=metrics_port)
    with started(variables, "--workers", "1") as killed:
        killed.await_start()
        assert (killed.url, killed.metrics_url) == (
            f"http://127.0.0.1:{http_port}",
            f"http://127.0.0.1:{metrics_port}",
        )
        acknowledged = [f"rr-{number}" for number in range(20)]
        for request_id in acknowledged:
            create(killed, request_id)
        killed.kill()
    assert postgres_processes(place / "data")  # the database outlived its service, and is adopted

    with started(variables, "--workers", "1") as terminated:
        terminated.await_start()
        assert sorted(request_ids(terminated)) == sorted(acknowledged)
        terminated.signal(signal.SIGTERM)
        assert terminated.wait() == 0
        assert "Traceback" not in terminated.said
    assert postgres_processes(place / "data") == []

    with started(variables | {"DATASTORAGE_DRAIN_S": "25"}, "--workers", "2") as interrupted:
        interrupted.await_start()
        assert sorted(request_ids(interrupted)) == sorted(acknowledged)
        interrupt(interrupted)
        assert interrupted.wait(20) == 130
        assert "Traceback" not in interrupted.said
    assert postgres_processes(place / "data") == []


def interrupt(service: Service) -> None:
    """Ctrl-C, which a terminal sends to all processes that belong to it."""
    os.killpg(service.process.pid, signal.SIGINT)


# --- the end


@dataclass
class Slow:
    """A request that waits for a lock in the database."""

    thread: threading.Thread
    answers: list[httpx.Response]

    def answer(self) -> httpx.Response:
        self.thread.join(PATIENCE_S)
        (answer,) = self.answers
        return answer


def ask_slowly(service: Service) -> Slow:
    answers: list[httpx.Response] = []

    def ask() -> None:
        body = {"query": LIST}
        answers.append(httpx.post(f"{service.url}/graphql", json=body, timeout=PATIENCE_S))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    wait_until(lambda: service.sample("datastorage_requests_in_flight") == 1)
    return Slow(thread, answers)


@contextmanager
def running(database: URL, *options: str, **settings: object) -> Iterator[Service]:
    with started(environment(database, **settings), *FREE_PORTS, *options) as service:
        yield service.await_start()


async def test_a_termination_drains_answers_what_runs_and_ends_clean(
    database_url: URL, sql: asyncpg.Connection
) -> None:
    with running(database_url, DRAIN_S=2) as service:
        lock = sql.transaction()
        await lock.start()
        await sql.execute("LOCK TABLE remediation_audit")
        slow = ask_slowly(service)

        service.signal(signal.SIGTERM)
        wait_until(lambda: service.probe("/ready")[0] == 503)
        draining = service.probe("/ready")[1]["checks"]["accepting"]
        still_served = service.ask("{ __typename }")
        wait_until(lambda: not listens(service))
        await lock.rollback()

        assert slow.answer().json() == {"data": {"remediationAudits": {"totalCount": 0, "nodes": []}}}
        assert service.wait() == 0
        assert (draining, still_served) == (
            {"ok": False, "detail": "shutting down"},
            {"data": {"__typename": "Query"}},
        )
        assert "Traceback" not in service.said
        assert '"event": "draining"' in service.said


def listens(service: Service) -> bool:
    host, port = service.url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


async def test_a_second_signal_hurries_and_what_outlasts_the_shutdown_gets_an_answer(
    database_url: URL, sql: asyncpg.Connection
) -> None:
    with running(database_url, DRAIN_S=25, SHUTDOWN_TIMEOUT_S=0.5) as service:
        async with sql.transaction():
            await sql.execute("LOCK TABLE remediation_audit")
            slow = ask_slowly(service)
            service.signal(signal.SIGHUP)  # the terminal was closed: ends like a termination
            wait_until(lambda: service.probe("/ready")[0] == 503)
            service.signal(signal.SIGTERM)
            answer = slow.answer()

            assert service.wait(20) == 0
        assert answer.status_code == 503
        (error,) = answer.json()["errors"]
        assert error == {
            "message": "the service is shutting down; try again",
            "extensions": {"code": "UNAVAILABLE", "retryable": True},
        }
        assert "Traceback" not in service.said


def test_ctrl_c_is_quick_and_quiet(own_database: URL) -> None:
    with running(own_database, DRAIN_S=25) as service:
        before = service.said
        interrupt(service)

        assert service.wait(20) == 130
        assert service.said == before


# --- several workers


def test_workers_share_the_port_and_the_metrics(own_database: URL) -> None:
    with running(own_database, "--workers", "2", DRAIN_S=25) as service:
        wait_until(lambda: service.sample("datastorage_pool_size", pool="writes") == 4)
        busy = ask_until_both_have_answered(service)
        wait_until(lambda: queries(service) == busy)

        # a worker dies: another takes its place, its counts stay, its gauges go
        workers = service.workers
        assert len(workers) == 2
        workers[0].kill()
        wait_until(lambda: len(service.workers) == 2 and workers[0] not in service.workers)
        wait_until(lambda: service.sample("datastorage_pool_size", pool="writes") == 4)
        wait_until(lambda: queries(service) == busy)
        ask_times(service, 10)
        wait_until(lambda: queries(service) == busy + 10)
        assert service.sample("datastorage_database_up") == 1
        assert service.sample("datastorage_requests_in_flight") == 0
        families = {metric.name: metric for metric in service.metrics()}
        assert families["datastorage_query"].documentation == "Queries by kind and outcome."
        counts = {
            sample.value
            for sample in families["datastorage_query_duration_seconds"].samples
            if sample.labels == {"operation": "list"} and sample.name.endswith("_count")
        }
        assert counts == {busy + 10}

        # all of them end, and a second signal hurries all of them
        workers, files = service.workers, metrics_dir(service)
        service.signal(signal.SIGTERM)
        wait_until(lambda: service.said.count('"event": "draining"') == 2)
        service.signal(signal.SIGTERM)
        assert service.wait(20) == 0
        assert not any(worker.is_running() for worker in workers)
        assert not files.exists()
        assert "Traceback" not in service.said


def queries(service: Service) -> float | None:
    return service.sample("datastorage_query_total", operation="list", status="success")


def ask_times(service: Service, times: int) -> None:
    for _ in range(times):
        service.ask(LIST)


def ask_until_both_have_answered(service: Service) -> int:
    asked = 0
    while min(answered_by(service), default=0) == 0:
        ask_times(service, 20)
        asked += 20
        assert asked < 2_000
    return asked


def answered_by(service: Service) -> list[float]:
    """Queries that each worker counted, from its own file."""
    counts = []
    for worker in service.workers:
        values = MmapedDict.read_all_values_from_file(metrics_dir(service) / f"counter_{worker.pid}.db")
        found = [value for key, value, *_ in values if '"datastorage_query_total"' in key and '"list"' in key]
        counts.append(sum(found))
    return counts


def metrics_dir(service: Service) -> Path:
    return Path(service.workers[0].environ()["PROMETHEUS_MULTIPROC_DIR"])


def test_workers_end_with_a_supervisor_that_was_killed(own_database: URL) -> None:
    with running(own_database, "--workers", "2") as service:
        workers, files = service.workers, metrics_dir(service)
        service.signal(signal.SIGKILL)
        service.wait()

        _, alive = psutil.wait_procs(workers, PATIENCE_S)
        assert alive == []
        assert not listens(service)
        shutil.rmtree(files)  # which the supervisor would have done


# --- refusals


NOWHERE = "postgresql://app:hunter2secret@127.0.0.1:1/app?sslmode=disable"


def refused(commands: CommandLine, *options: str, **settings: str) -> Ended:
    """A start that cannot succeed."""
    given = {f"DATASTORAGE_{name}": value for name, value in settings.items()}
    outcome = commands.run("serve", *options, variables=given)
    assert (outcome.code, outcome.out) == (1, "")
    assert "hunter2secret" not in outcome.err
    assert "Traceback" not in outcome.err
    return outcome


def test_a_port_in_use_is_told_in_one_line(commands: CommandLine, service: Service) -> None:
    port = service.url.rpartition(":")[2]

    outcome = refused(commands, "--port", port, DATABASE_URL=NOWHERE)

    assert outcome.err == (
        f"datastorage: cannot listen on 127.0.0.1:{port} for the API (Address already in use); "
        "is another service running there? Choose another port with --port or DATASTORAGE_HTTP_PORT\n"
    )


def test_a_metrics_port_in_use_is_told_in_one_line(commands: CommandLine, service: Service) -> None:
    port = service.metrics_url.rpartition(":")[2]
    database = service.variables["DATASTORAGE_DATABASE_URL"]

    outcome = refused(commands, "--port", "0", "--metrics-port", port, DATABASE_URL=database)

    assert outcome.err.splitlines()[-1] == (
        f"datastorage: cannot listen on 127.0.0.1:{port} for the metrics (Address already in use); "
        "choose another port with --metrics-port or DATASTORAGE_METRICS_PORT"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "db.internal"])  # noqa: S104 -- refused
def test_nobody_is_exposed_without_saying_so(commands: CommandLine, host: str) -> None:
    outcome = refused(commands, "--port", "0", DATABASE_URL=NOWHERE, HTTP_HOST=host)

    assert outcome.err.startswith(f"datastorage: refusing to listen on {host} while nobody is authenticated")
    assert outcome.err.count("\n") == 1


def test_all_wrong_settings_are_told_at_once(commands: CommandLine) -> None:
    wrong = {"HTTP_PORT": "99999", "LOG_LEVEL": "loud", "POOL_SIZE": "no", "EMBEDDED": "off"}

    first, *faults = refused(commands, **wrong).err.splitlines()

    assert first == "datastorage: wrong settings:"
    assert [fault.split(":")[0].strip() for fault in faults] == [
        "DATASTORAGE_HTTP_PORT",
        "DATASTORAGE_LOG_LEVEL",
        "DATASTORAGE_EMBEDDED",
        "DATASTORAGE_POOL_SIZE",
    ]
    assert "99999" not in " ".join(faults)  # a value may be a secret


def test_a_misspelt_setting_is_warned_of(commands: CommandLine, service: Service) -> None:
    port = service.url.rpartition(":")[2]

    warning = refused(commands, "--port", port, DATABASE_URL=NOWHERE, HTTP_PRT="80").err.splitlines()[0]

    assert "DATASTORAGE_HTTP_PRT is not a setting; did you mean DATASTORAGE_HTTP_PORT?" in warning


def test_a_database_that_cannot_be_reached_is_told_without_its_password(commands: CommandLine) -> None:
    outcome = refused(commands, "--port", "0", DATABASE_URL=NOWHERE)

    assert "on 127.0.0.1, port 1" in outcome.err
    assert "cannot be reached" in outcome.err


def test_a_url_of_another_kind_is_told_without_its_password(commands: CommandLine) -> None:
    outcome = refused(commands, "--port", "0", DATABASE_URL=NOWHERE.replace("postgresql", "mysql"))

    assert "only postgresql:// is supported" in outcome.err


def test_the_question_that_it_prints_can_be_pasted(service: Service) -> None:
    printed = (service.place / "stdout").read_text()
    body = re.search(r"-d '(.*)'", printed)[1]

    answer = httpx.post(f"{service.url}/graphql", content=body, headers={"content-type": "application/json"})

    assert "hits" in answer.json()["data"]["similarIncidents"]


async def test_a_schema_that_was_never_made_is_told_at_start_and_to_clients(empty_database_url: URL) -> None:
    with started(environment(empty_database_url)) as service:
        service.await_start()
        answer = service.ask("{ remediationAudits { nodes { id } } }")
        said = service.said

    assert answer["errors"][0]["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
    assert "run: datastorage migrate" in answer["errors"][0]["message"]
    assert "schema_not_ready" in said
