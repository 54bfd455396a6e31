"""Times creates on two running services in turn: one without a second vector engine, one with it.

    python bench/dual_write.py URL-WITHOUT URL-WITH [--writers 50] [--rounds 6] [--writes 1000]

Every text is new, so each create stores a vector and, with an engine, mirrors it. Rounds alternate, so that both
meet the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table

CREATE = """
mutation($input: CreateRemediationAuditInput!) {
  createRemediationAudit(input: $input) {
    __typename ... on CreateRemediationAuditPayload { receipt { similarity } } ... on UserError { message }
  }
}
"""
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "xo", "zu")


def words(number: int) -> Iterator[str]:
    """Made-up words, others for every number; digits would be masked, and the text no longer be new."""
    while number:
        number, place = divmod(number, len(SYLLABLES) ** 2)
        yield SYLLABLES[place // len(SYLLABLES)] + SYLLABLES[place % len(SYLLABLES)]


def remediation(run: str, number: int) -> dict[str, object]:
    """One incident with a text that no other has."""
    return {
        "remediationRequestId": f"{run}-{number}",
        "name": f"incident-{number}",
        "namespace": "bench",
        "phase": "FAILED",
        "actionType": "restart_pod",
        "startTime": datetime.now(UTC).isoformat(),
        "alertFingerprint": f"fp-{number}",
        "severity": "HIGH",
        "environment": "production",
        "clusterName": "bench",
        "targetResource": "Deployment/app",
        "errorMessage": f"failure of {' '.join(words(number + 1))} in {run.translate(str.maketrans('0123456789', 'ghijklmnop'))}",
    }


async def timed_round(url: str, writers: int, writes: int) -> tuple[list[float], float]:
    """Milliseconds of each create, and creates per second."""
    run = uuid4().hex[:8]
    numbers = iter(range(writes))
    taken_ms: list[float] = []

    async def writer(transport: httpx.AsyncHTTPTransport) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60, transport=transport) as client:
            for number in numbers:
                body = {"query": CREATE, "variables": {"input": remediation(run, number)}}
                started = time.perf_counter()
                answer = (await client.post("/graphql", json=body)).json()
                taken_ms.append((time.perf_counter() - started) * 1000)
                stored = answer["data"]["createRemediationAudit"]
                if stored["__typename"] != "CreateRemediationAuditPayload":
                    raise SystemExit(f"a create failed: {stored}")

    # A connection each: in one pool they would wait for each other, and that would be measured.
    transports = [httpx.AsyncHTTPTransport(verify=False) for _ in range(writers)]
    started = time.perf_counter()
    await asyncio.gather(*map(writer, transports))
    return taken_ms, writes / (time.perf_counter() - started)


def main() -> None:
    """Times both, and prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("without", help="address of a service without a second engine")
    parser.add_argument("with_engine", help="address of a service with one")
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--writes", type=int, default=1000, help="in each round")
    given = parser.parse_args()
    urls = {"without": given.without, "with": given.with_engine}
    taken: dict[str, list[float]] = {name: [] for name in urls}
    rates: dict[str, list[float]] = {name: [] for name in urls}
    for url in urls.values():
        asyncio.run(timed_round(url, given.writers, 100))  # warm
    for _ in range(given.rounds):
        for name, url in urls.items():
            taken_ms, rate = asyncio.run(timed_round(url, given.writers, given.writes))
            taken[name] += taken_ms
            rates[name].append(rate)
    table = Table("second engine", "creates/s", "p50 ms", "p95 ms", "p99 ms")
    for name in urls:
        cuts = statistics.quantiles(taken[name], n=100)
        table.add_row(
            name, f"{statistics.median(rates[name]):.0f}", *(f"{cuts[p - 1]:.1f}" for p in (50, 95, 99))
        )
    Console().print(table)


if __name__ == "__main__":
    main()
