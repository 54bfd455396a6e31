"""What measuring costs: nanoseconds a call, the share of a request, and whether a million calls leave anything behind.

    python bench/metrics_overhead.py            # one process
    python bench/metrics_overhead.py --workers  # values in the files that several workers share

All in processor time of one thread, so that it matters little who else uses the machine. The request is a list of 20
rows, asked of the application itself on an embedded PostgreSQL: without a server around it, so the share is the largest
that it can be.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import psutil

CALLS = 100_000
GROWTH_CALLS = 1_000_000
REQUESTS = 1_000
INPUT = {
    "namespace": "shop", "phase": "PENDING", "actionType": "restart_pod", "startTime": "2026-01-01T00:00:00Z",
    "alertFingerprint": "fp", "severity": "HIGH", "environment": "production", "clusterName": "prod",
    "targetResource": "Deployment/checkout",
}  # fmt: skip
CREATE = (
    "mutation($i: [CreateRemediationAuditInput!]!) { createRemediationAudits(inputs: $i) { __typename } }"
)
LIST = """{ remediationAudits(first: 20) { nodes {
  id remediationRequestId name namespace phase status actionType startTime endTime severity clusterName targetResource
} } }"""


def main() -> None:
    """Prints a line for each measurement, and what requests pay in all."""
    from datastorage.observability import metrics  # noqa: PLC0415 -- the variable must be set before

    calls = measured_calls(metrics)
    cost = {name: nanoseconds(call) for name, call in calls.items()}
    loop = cost.pop("nothing (the loop itself)")
    for name, taken in cost.items():
        print(f"{name:36} {taken - loop:8.0f} ns")
    request = asyncio.run(request_nanoseconds())
    of_each = ("requests in flight, up and down", "executor of an operation")
    query = sum(cost[name] - loop for name in (*of_each, "query counted and timed"))
    print(
        f"a list takes {request:,.0f} ns, {query:,.0f} of them for measuring: {100 * query / request:.2f} %"
    )
    before, after = (footprint(calls) for _ in range(2))
    print(
        f"{GROWTH_CALLS:,} calls: {after[0] - before[0]:+d} series, {(after[1] - before[1]) / 1024:+.0f} KiB"
    )


def measured_calls(m: Any) -> Mapping[str, Callable[[], object]]:
    """What is measured where."""
    from datastorage.errors import FaultReason  # noqa: PLC0415 -- as above
    from datastorage.observability.labels import (  # noqa: PLC0415
        Executor,
        QueryOperation,
        Sanitization,
        Table,
    )

    def query() -> None:
        with m.query_observed(QueryOperation.LIST):
            pass

    def in_flight() -> None:
        m.request_began()
        m.request_ended()

    return {
        "nothing (the loop itself)": lambda: None,
        "requests in flight, up and down": in_flight,
        "executor of an operation": lambda: m.count_execution(Executor.COMPILED),
        "query counted and timed": query,
        "write counted and timed": lambda: m.count_writes(Table.REMEDIATION, succeeded=1, seconds=0.003),
        "dual write counted": m.count_dualwrite_success,
        "read of the cache counted": lambda: m.count_cache_reads(1, 0),
        "refused field counted": lambda: m.count_fault("name", FaultReason.INVALID),
        "change of free text counted": lambda: m.count_sanitizations(Sanitization.TRIMMED),
    }


def nanoseconds(call: Callable[[], object]) -> float:
    """The best of five."""
    best = float("inf")
    for _ in range(5):
        started = time.thread_time_ns()
        for _ in range(CALLS):
            call()
        best = min(best, (time.thread_time_ns() - started) / CALLS)
    return best


async def request_nanoseconds() -> float:
    """Of one list, in the application; the best of three."""
    from datastorage.app import create_app, prepare_database  # noqa: PLC0415
    from datastorage.db.location import located  # noqa: PLC0415
    from datastorage.settings import load_settings  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="ds-bench-", dir="/tmp") as place:
        os.chmod(place, 0o755)  # noqa: S103, PTH101 -- the account of root's PostgreSQL must pass
        os.environ |= {"DATASTORAGE_DATA_DIR": f"{place}/data", "DATASTORAGE_LOG_LEVEL": "warning"}
        settings = load_settings()
        with located(settings) as url:
            await prepare_database(url, settings)
            app = create_app()
            async with app.router.lifespan_context(app):
                rows = [
                    {**INPUT, "remediationRequestId": f"rr-{n}", "name": f"incident-{n}"} for n in range(20)
                ]
                await ask(app, CREATE, {"i": rows})
                return min([await _request_nanoseconds(app) for _ in range(3)])


async def _request_nanoseconds(app: Any) -> float:
    started = time.thread_time_ns()
    for _ in range(REQUESTS):
        await ask(app, LIST, {})
    return (time.thread_time_ns() - started) / REQUESTS


async def ask(app: Any, query: str, variables: dict[str, Any]) -> None:
    """One request, as a server would hand it over."""
    body = orjson.dumps({"query": query, "variables": variables})
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "method": "POST", "path": "/graphql", "raw_path": b"/graphql",
        "scheme": "http", "query_string": b"", "root_path": "", "app": app, "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }  # fmt: skip
    answers: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message.get("body", b""))

    await app(scope, receive, send)
    assert b'"errors"' not in b"".join(answers), answers  # noqa: S101


def footprint(calls: Mapping[str, Callable[[], object]]) -> tuple[int, int]:
    """Series and resident bytes after so many calls of all kinds."""
    from prometheus_client import REGISTRY  # noqa: PLC0415 -- as above

    for call in calls.values():
        for _ in range(GROWTH_CALLS // len(calls)):
            call()
    series = sum(len(metric.samples) for metric in REGISTRY.collect())
    return series, psutil.Process().memory_info().rss


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--workers", action="store_true", help="as in a worker process of several")
    with tempfile.TemporaryDirectory() as files:
        if arguments.parse_args().workers:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = files
        main()
