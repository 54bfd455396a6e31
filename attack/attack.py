"""`make attack`: all that outside attackers try, on services started for it. A table of figures; 1 if any is not good."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil
from rich.console import Console
from rich.table import Table
from sieges import Siege, bombs, checklists, fuzzed, guessed, hostile, malformed, slow

from support.attacks.checklist import BATCH
from support.attacks.witness import Figures, Witness
from support.records import remediation_input
from support.service import Service, data_place, environment, started

FIRST: Final[tuple[Siege, ...]] = (checklists, malformed, hostile)
SIEGES: Final[tuple[Siege, ...]] = (*FIRST, bombs, slow, fuzzed, hostile, checklists)
HIDDEN: Final[tuple[Siege, ...]] = (guessed,)
SETTINGS: Final = {"CLIENT_TIMEOUT_S": 5, "LOG_LEVEL": "warning"}
RECORDS: Final = 200
GROWTH_MAX: Final = 1.25  # of memory, from after the first sieges, which fill what is remembered, to the end
GROWTH_BYTES: Final = 40 * 2**20


@dataclass(frozen=True)
class Row:
    """One siege, with the memory of the service before and after it."""

    figures: Figures
    before: int
    after: int
    seconds: float


def memory(service: Service) -> int:
    """What the service holds, its database aside."""
    return int(psutil.Process(service.process.pid).memory_info().rss)


async def besieged(service: Service, sieges: tuple[Siege, ...]) -> list[Row]:
    """One after the other."""
    rows = []
    async with httpx.AsyncClient(base_url=service.url) as http:
        witness = Witness(http)
        for siege in sieges:
            before, logged, begun = memory(service), faults_in_log(service), time.monotonic()
            figures = await siege(service, witness)
            figures.internal = max(figures.internal, faults_in_log(service) - logged)
            rows.append(Row(figures, before, memory(service), time.monotonic() - begun))
            print(f"{figures.attack}: {figures.cases} cases in {rows[-1].seconds:.0f} s", flush=True)
    return rows


def faults_in_log(service: Service) -> int:
    """Faults that nobody expected, answered or not."""
    return service.said.count('"internal_error"') + service.said.count("Exception in ASGI")


async def attack(sieges: tuple[Siege, ...], place: Path, **settings: object) -> list[Row]:
    """The sieges of a service that has some records, warmed up by one of each kind."""
    with started(environment(place, **SETTINGS, **settings)) as service:
        service.await_start()
        inputs = [
            remediation_input(
                remediationRequestId=f"rr-{number}", errorMessage=f"out of memory, limit {number}"
            )
            for number in range(RECORDS)
        ]
        for start in range(0, RECORDS, 100):
            service.ask(BATCH, inputs=inputs[start : start + 100])
        return await besieged(service, sieges)


def shown(rows: list[Row]) -> Table:
    """One line for each siege."""
    table = Table(title="What attackers achieved", box=None)
    for heading in (
        "attack",
        "cases",
        "5xx",
        "unexpected faults",
        "leaks",
        "time-outs",
        "MB before",
        "MB after",
        "s",
    ):
        table.add_column(heading, justify="left" if heading == "attack" else "right")
    for row in rows:
        seen = row.figures
        told = (seen.cases, seen.server_errors, seen.internal, seen.leaks, seen.time_outs)
        megabytes = (row.before >> 20, row.after >> 20, round(row.seconds))
        table.add_row(seen.attack, *map(str, told), *map(str, megabytes))
    return table


def main() -> int:
    """The command line."""
    with data_place() as place:
        rows = asyncio.run(attack(SIEGES, place / "data"))
        hidden = asyncio.run(attack(HIDDEN, place / "hidden", INTROSPECTION="false", GRAPHIQL="false"))
    Console().print(shown(rows + hidden))
    for row in rows + hidden:
        for trouble in row.figures.troubles:
            print(f"- {row.figures.attack}: {trouble}")
    begun, ended = rows[len(FIRST) - 1].after, rows[-1].after
    grown = ended > max(begun * GROWTH_MAX, begun + GROWTH_BYTES)
    if grown:
        print(f"- memory grew from {begun >> 20} to {ended >> 20} MB")
    return int(grown or not all(row.figures.flawless for row in rows + hidden))


if __name__ == "__main__":
    sys.exit(main())
