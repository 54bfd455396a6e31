"""What others notice while one principal asks ten times as often as it may.

    PYTHONPATH=tests python bench/flood.py [seconds]

Starts a service with API keys on an embedded PostgreSQL. Four principals ask for lists, ten times a second each: first
alone, then beside one that floods, in turns, since the machine drifts. Prints both 95th percentiles; 1 if the second
is more than twice the first. The flood comes over open connections, and costs this process little.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Final
from urllib.parse import urlsplit

from support.attacks.checklist import BATCH, LIST
from support.records import remediation_input
from support.service import COMMAND, data_place, environment, started

LIMIT_PER_S: Final = 50
FLOOD: Final = 10  # times the limit
OTHERS, THEIR_RATE_PER_S = 4, 10
ROUNDS: Final = 3
WARM_UP_S: Final = 2.0
RATIO_MAX: Final = 2.0


@dataclass
class Asked:
    """One client's answers."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


class Client:
    """One connection that asks the same again and again."""

    def __init__(self, url: str, key: str) -> None:
        place = urlsplit(url)
        self._place = (str(place.hostname), int(place.port or 0))
        body = json.dumps({"query": LIST, "variables": {"filter": {}}}).encode()
        self._request = (
            f"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-api-key: {key}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode() + body

    async def ask(self, per_s: float, seconds: float, asked: Asked) -> None:
        """At this rate, as far as answers come in time."""
        reader, writer = await asyncio.open_connection(*self._place)
        begun = time.perf_counter()
        for turn in count():
            due = begun + turn / per_s
            if due > begun + seconds:
                break
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent = time.perf_counter()
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(
                int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            )
            asked.statuses[int(head.split(maxsplit=2)[1])] += 1
            asked.seconds.append(time.perf_counter() - sent)
        writer.close()


async def measured(url: str, others: list[str], flooder: str | None, seconds: float) -> tuple[Asked, Asked]:
    """What the others met, and the flooder if there is one."""
    quiet, loud = Asked(), Asked()
    clients = [Client(url, key).ask(THEIR_RATE_PER_S, seconds, quiet) for key in others]
    if flooder is not None:
        connections = 10
        rate = FLOOD * LIMIT_PER_S / connections
        clients += [Client(url, flooder).ask(rate, seconds, loud) for _ in range(connections)]
    await asyncio.gather(*clients)
    return quiet, loud


def p95_ms(asked: Asked) -> float:
    """The 95th percentile."""
    return statistics.quantiles(asked.seconds, n=20)[-1] * 1_000


def main() -> int:
    """The command line."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with data_place() as place:
        settings = environment(
            place / "data", AUTH_MODES="api_key", LOG_LEVEL="warning",
            RATE_LIMIT_PRINCIPAL_PER_S=LIMIT_PER_S, RATE_LIMIT_PRINCIPAL_BURST=LIMIT_PER_S,
        )  # fmt: skip
        with started(settings) as service:
            service.await_start()
            made = [
                subprocess.run(
                    [*COMMAND, "keys", "create", f"client-{number}", "--role", "writer"],
                    env=settings, capture_output=True, text=True, check=True,
                ).stdout.strip()
                for number in range(OTHERS + 1)
            ]  # fmt: skip
            flooder, *others = made
            store(service.url, others[0])
            return compared(service.url, others, flooder, seconds)


def store(url: str, key: str) -> None:
    """A page of records."""
    import httpx  # noqa: PLC0415 -- for this only

    inputs = [remediation_input(remediationRequestId=f"rr-{number}") for number in range(100)]
    body = {"query": BATCH, "variables": {"inputs": inputs}}
    httpx.post(f"{url}/graphql", json=body, headers={"x-api-key": key}, timeout=60).raise_for_status()


def compared(url: str, others: list[str], flooder: str, seconds: float) -> int:
    """Alone and beside a flood, in turns; says how both went."""
    asyncio.run(measured(url, others, flooder, WARM_UP_S))
    quiet, beside, loud = Asked(), Asked(), Asked()
    for _ in range(ROUNDS):
        alone, _nobody = asyncio.run(measured(url, others, None, seconds / ROUNDS))
        quiet.seconds += alone.seconds
        flooded, flood = asyncio.run(measured(url, others, flooder, seconds / ROUNDS))
        beside.seconds += flooded.seconds
        beside.statuses += flooded.statuses
        loud.statuses += flood.statuses
    ratio = p95_ms(beside) / p95_ms(quiet)
    print(f"others alone           p95 {p95_ms(quiet):7.1f} ms of {len(quiet.seconds)} requests")
    print(
        f"others beside a flood  p95 {p95_ms(beside):7.1f} ms of {len(beside.seconds)}, answered {dict(beside.statuses)}"
    )
    print(f"the flood              {dict(loud.statuses)}")
    print(f"ratio {ratio:.2f}, at most {RATIO_MAX} is wanted")
    return int(ratio > RATIO_MAX or set(beside.statuses) != {200})


if __name__ == "__main__":
    sys.exit(main())
