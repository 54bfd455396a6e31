"""What `make attack` does to a service: our own cases, many of them, and other people's tools."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from graphql import GraphQLSchema, build_schema, get_introspection_query

from support.attacks.checklist import LIST, checklist, large_variables
from support.attacks.hostile import hostile_cases
from support.attacks.malformed import malformed_cases
from support.attacks.slow import slow_clients
from support.attacks.witness import Case, Figures, Witness, operation
from support.service import Service

HERE: Final = Path(__file__).resolve().parent
TOOLS: Final = HERE / ".venv" / "bin"
SCHEMA: Final[GraphQLSchema] = build_schema((HERE.parent / "schema.graphql").read_text())
# Ten times this took a machine with two cores half an hour.
SCALE: Final = float(os.environ.get("ATTACK_SCALE", "1"))
SLOW_CLIENTS: Final = 200
BODY_BYTES: Final = 7_900_000
GIVEN_UP: Final = "Field Suggestion is not fully enabled"  # so clairvoyance ends where errors tell it nothing
Siege = Callable[[Service, Witness], Awaitable[Figures]]


def scaled(number: int) -> int:
    """As many cases as `ATTACK_SCALE` wants."""
    return max(1, int(number * SCALE))


async def checklists(_: Service, witness: Witness) -> Figures:
    """Each attack several times: what was refused by the interpreter is then refused by compiled operations."""
    return await witness.saw("checklists", (case for _ in range(3) for _, case in checklist()))


async def malformed(_: Service, witness: Witness) -> Figures:
    """Broken requests, most of them good ones with bytes changed."""
    return await witness.saw("malformed requests", malformed_cases(scaled(5_000)))


async def hostile(_: Service, witness: Witness) -> Figures:
    """Values that break programs, in every argument."""
    return await witness.saw("hostile values", hostile_cases(SCHEMA, scaled(15_000)))


async def bombs(_: Service, witness: Witness) -> Figures:
    """As much as a body may hold."""
    cases = [*large_variables(BODY_BYTES), *json_bombs()]
    return await witness.saw("bodies of 8 MB", (case for _ in range(3) for case in cases))


def json_bombs() -> Iterator[Case]:
    """JSON where JSON is taken."""
    for label, value in {
        "names": {f"f{number}": 1 for number in range(BODY_BYTES // 14)},
        "lists": {"a": [[]] * (BODY_BYTES // 5)},
        "texts": {"a": "password=x " * (BODY_BYTES // 12)},
        "texts in a list": {"a": ["password=x"] * (BODY_BYTES // 15)},
    }.items():
        given = {"requestId": "rr-1", "metadata": value}
        yield operation(
            f"metadata of {label}",
            "mutation ($input: UpdateRemediationAuditInput!) { updateRemediationAudit(input: $input) { __typename } }",
            input=given,
        )
        yield operation(f"a filter of {label}", LIST, filter={"metadata": {"contains": value}})


async def slow(service: Service, witness: Witness) -> Figures:
    """200 of them, while others ask; then whether all were cut off."""
    place = urlsplit(service.url)
    asked = [operation("asked beside slow clients", LIST, filter={})] * scaled(500)
    async with slow_clients(str(place.hostname), int(place.port or 0), SLOW_CLIENTS) as clients:
        figures = await witness.saw("200 slow clients", asked)
        patience_s = 3 * float(service.variables["DATASTORAGE_CLIENT_TIMEOUT_S"])
        with suppress(TimeoutError):
            await asyncio.wait_for(clients.wait_until_cut_off(), patience_s)
        figures.cases += SLOW_CLIENTS
        figures.time_outs += clients.open
    return figures


async def fuzzed(service: Service, _: Witness) -> Figures:
    """Schemathesis: operations of every kind, generated from the schema."""
    with tempfile.TemporaryDirectory() as folder:
        counted = Path(folder) / "counted.json"
        command = [
            str(TOOLS / "st"), "run", f"{service.url}/graphql", "--phases", "fuzzing", "--checks", "nothing_goes_wrong",
            "--max-examples", str(scaled(60)), "--continue-on-failure", "--no-shrink", "--no-color", "--seed", "7",
            "--request-timeout", "30",
        ]  # fmt: skip
        variables = {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "ATTACK_COUNTED": str(counted)}
        ran = run(command, variables, folder)
        found = (
            json.loads(counted.read_text())
            if counted.exists()
            else {"troubles": [ran[-2_000:]], "server_errors": 1}
        )
    return Figures("schemathesis", **found)


async def guessed(service: Service, witness: Witness) -> Figures:
    """Clairvoyance: what can be found of a schema that is not told. All of it counts as leaks."""
    figures = await witness.saw("clairvoyance", _introspections())
    figures.server_errors = 0
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "schema.json"
        command = [str(TOOLS / "clairvoyance"), "-o", str(found), "-c", "8", f"{service.url}/graphql"]
        said = run(command, {}, folder)
        figures.cases += int(service.sample("datastorage_execution_total", executor="reference") or 0)
        if found.exists():
            names = recovered(json.loads(found.read_text()))
        else:
            names = [] if GIVEN_UP in said else [said[-500:]]
    figures.leaks += len(names)
    figures.troubles += names[:10]
    return figures


def _introspections() -> Iterator[Case]:
    query = get_introspection_query()
    yield operation("introspection", query)
    yield Case("introspection by GET", method="GET", content_type=None, params={"query": query})


def recovered(schema: dict[str, object]) -> list[str]:
    """The fields that a found schema has."""
    types = schema["data"]["__schema"]["types"]  # type: ignore[index]
    return [
        f"{type_['name']}.{field['name']}"
        for type_ in types
        if not type_["name"].startswith("__")
        for field in type_.get("fields") or ()
        if field["name"] != "dummy"  # what the tool puts into types of which it found nothing
    ]


def run(command: list[str], variables: dict[str, str], folder: str) -> str:
    """What a tool says."""
    environment = {**os.environ, **variables}
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=folder, timeout=3_600
    )
    return ran.stdout + ran.stderr
