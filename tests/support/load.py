"""Writers that load a service over HTTP, repeat what failed as a client should, and keep the ledger.

A step is one mutation that leads one or several entries to their next version. Every sixth writer's turn is a client
that does not repeat: what became of its write it never learns.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from datastorage.domain.names import snake
from support.ledger import Entry, Ledger
from support.records import remediation_input

ANSWER_PATIENCE_S = 90  # the service answers earlier, whatever happens; nothing is measured
STALLED_S = 90  # no fault lasts so long: what is wrong then does not end by itself
PAUSE_S_MIN, PAUSE_S_MAX = 0.05, 1.0
BATCH = 5
PARTS = """
  __typename
  ... on UserError { message code retryable }
"""
CREATE = f"""mutation($inputs: [CreateRemediationAuditInput!]!) {{ answers: createRemediationAudits(inputs: $inputs) {{
  {PARTS} ... on CreateRemediationAuditPayload {{ remediationAudit {{ version }} }} }} }}"""
CREATE_ONE = f"""mutation($input: CreateRemediationAuditInput!) {{ answer: createRemediationAudit(input: $input) {{
  {PARTS} ... on CreateRemediationAuditPayload {{ remediationAudit {{ version }} }} }} }}"""
UPDATE = f"""mutation($input: UpdateRemediationAuditInput!) {{ answer: updateRemediationAudit(input: $input) {{
  {PARTS} ... on UpdateRemediationAuditPayload {{ remediationAudit {{ version }} }} }} }}"""
UPSERT = f"""mutation($input: UpsertRemediationAuditInput!) {{ answer: upsertRemediationAudit(input: $input) {{
  {PARTS} ... on UpsertRemediationAuditPayload {{ remediationAudit {{ version }} }} }} }}"""
TROUBLES = ["disk is full", "memory was exhausted", "certificate expired", "queue grows", "node is not ready"]


class Stalled(Exception):
    """Nothing was acknowledged for a long time; says what clients were told."""


class Refused(Exception):
    """An answer that says that repeating the request is in vain: under a fault the service must not give it."""


@dataclass(frozen=True)
class Step:
    """One mutation, and the entries that it leads to their next version."""

    document: str
    variables: Mapping[str, Any]
    entries: tuple[Entry, ...]
    version: int


@dataclass
class Load:
    """Concurrent writers on one or several addresses of the service, until so many versions are acknowledged.

    `gives_up_after_s` tells for each attempt whether, and when, the client hangs up without waiting for the answer.
    """

    urls: list[str]
    writes: int
    writers: int = 24
    gives_up_after_s: Callable[[], float | None] = lambda: None
    ledger: Ledger = field(default_factory=Ledger)
    troubles: Counter[str] = field(
        default_factory=Counter
    )  # answers that ask to try again, broken connections
    _numbers: Iterator[int] = field(default_factory=count)
    _acknowledged: int = 0
    _progress_s: float = 0.0  # when something was acknowledged last
    _until_s: float = 0.0  # not ended before
    _told: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Load]:
        """Writers at work; leaving waits until all is written. What the service refused is raised."""
        self._progress_s = _now_s()
        # One that is cancelled at the wrong moment leaves its place in a bounded pool taken for good.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=self.writers)
        async with (
            httpx.AsyncClient(timeout=ANSWER_PATIENCE_S, limits=limits, trust_env=False) as http,
            asyncio.TaskGroup() as group,
        ):
            for number in range(self.writers):
                group.create_task(self._writer(http, number))
            yield self

    async def reached(self, share: float) -> None:
        """Waits until a share of the writes is acknowledged."""
        await _until(lambda: self._acknowledged >= self.writes * share)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Writes for as long as the block takes, whatever was wanted."""
        self._until_s = math.inf
        yield
        self._until_s = 0.0

    async def lasting(self, seconds: float) -> None:
        """Goes on writing for so long, whatever was wanted."""
        self._until_s = _now_s() + seconds
        await asyncio.sleep(seconds)

    async def troubled(self, times: int = 1, kind: str | None = None) -> None:
        """Waits until clients have been told, or have noticed, so many more times that something is wrong."""
        seen = self._seen(kind)
        await _until(lambda: self._seen(kind) >= seen + times)

    def _seen(self, kind: str | None) -> int:
        return self.troubles.total() if kind is None else self.troubles[kind]

    async def _writer(self, http: httpx.AsyncClient, offset: int) -> None:
        while self._acknowledged < self.writes or _now_s() < self._until_s:
            number = next(self._numbers)
            repeats = number % 6 != 0
            for step in self._steps(number):
                if not await self._written(http, step, offset, repeats=repeats):
                    break

    def _steps(self, number: int) -> Iterator[Step]:
        """What is written next. A step that follows another is made when that was acknowledged."""
        match number % 6:
            case 1 | 4:
                yield from self._created_and_updated(number)
            case 2:
                yield from self._upserted_twice(number)
            case 3:
                inputs = [_incident(number, part) for part in range(BATCH)]
                entries = tuple(self._opened(each) for each in inputs)
                yield Step(CREATE, {"inputs": inputs}, entries, 1)
            case _:
                whole = _incident(number)
                yield Step(CREATE_ONE, {"input": whole}, (self._opened(whole),), 1)

    def _created_and_updated(self, number: int) -> Iterator[Step]:
        whole = _incident(number)
        entry = self._opened(whole)
        yield Step(CREATE_ONE, {"input": whole}, (entry,), 1)
        change = {"phase": "PROCESSING", "errorMessage": f"{whole['errorMessage']}, still, {_word(number)}"}
        entry.states.append(_state({**whole, **change}))
        yield Step(UPDATE, {"input": {"requestId": entry.key, "expectedVersion": 1, **change}}, (entry,), 2)

    def _upserted_twice(self, number: int) -> Iterator[Step]:
        whole = _incident(number)
        entry = self._opened(whole)
        yield Step(UPSERT, {"input": whole}, (entry,), 1)
        changed = {**whole, "resolution": f"mended by {_word(number)}"}
        entry.states.append(_state(changed))
        yield Step(UPSERT, {"input": changed}, (entry,), 2)

    def _opened(self, whole: Mapping[str, Any]) -> Entry:
        entry = self.ledger.open(whole["remediationRequestId"])
        entry.states.append(_state(whole))
        return entry

    async def _written(self, http: httpx.AsyncClient, step: Step, offset: int, *, repeats: bool) -> bool:
        """Whether all of a step was acknowledged; tried at another address each time, as behind a balancer."""
        for attempt in count(offset):
            if await self._attempt(http, self.urls[attempt % len(self.urls)], step):
                return True
            if not repeats:
                return False
            if _now_s() - self._progress_s > STALLED_S:
                raise Stalled(self._told)
            pause_s = min(PAUSE_S_MAX, PAUSE_S_MIN * 2 ** (attempt - offset))
            await asyncio.sleep(random.uniform(0.5, 1.5) * pause_s)
        raise AssertionError  # counting never ends

    async def _attempt(self, http: httpx.AsyncClient, url: str, step: Step) -> bool:
        body = {"query": step.document, "variables": step.variables}
        try:
            async with asyncio.timeout(self.gives_up_after_s()):
                response = await http.post(f"{url}/graphql", json=body)
        except TimeoutError:
            self.troubles["hung_up"] += 1
            return False
        except httpx.ReadTimeout:
            raise  # it hangs, which no fault excuses
        except httpx.TransportError as broken:
            self._told = repr(broken)
            self.troubles["connection"] += 1
            return False
        return self._booked(step, response)

    def _booked(self, step: Step, response: httpx.Response) -> bool:
        """Enters what was acknowledged. Errors: Refused."""
        document = response.json()
        for error in document.get("errors", ()):
            if not error["extensions"].get("retryable"):
                raise Refused(response.text)
            self._told = response.text
            self.troubles[error["extensions"]["code"]] += 1
        data = document.get("data")
        if "errors" in document or data is None:
            return False
        answers = data["answers"] if "answers" in data else [data["answer"]]
        for entry, answer in zip(step.entries, answers, strict=True):
            self._book(entry, step.version, answer)
        return all(entry.acknowledged >= step.version for entry in step.entries)

    def _book(self, entry: Entry, version: int, answer: Mapping[str, Any]) -> None:
        audit = answer.get("remediationAudit")
        if audit is None:
            if not answer["retryable"]:
                raise Refused(f"{entry}: {answer}")
            self._told = answer["message"]
            self.troubles[answer["code"]] += 1
        elif audit["version"] != version:
            raise Refused(f"{entry} is at version {audit['version']}, not {version}")
        elif entry.acknowledged < version:
            entry.acknowledged = version
            self._acknowledged += 1
            self._progress_s = _now_s()


def _incident(number: int, part: int = 0) -> dict[str, Any]:
    """One of its own, of which some are worded alike."""
    return remediation_input(
        remediationRequestId=f"rr-{number}-{part}",
        name=f"incident-{number}-{part}",
        errorMessage=f"{TROUBLES[number % len(TROUBLES)]} in {_word(number // 3 + part)}",
    )


def _word(number: int) -> str:
    """Letters only: digits are masked before a text is embedded, and would make all texts one."""
    letters = "bcdfghklmnprstvw"
    return "".join(letters[int(digit, 16)] + "aeio"[number % 4] for digit in f"{number:x}")


def _state(whole: Mapping[str, Any]) -> dict[str, Any]:
    """By column, as it is stored."""
    return {snake(name): value for name, value in {**whole, "phase": whole["phase"].lower()}.items()}


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _until(holds: Callable[[], bool]) -> None:
    """The time limit of the whole test ends it, if nothing else does."""
    while not holds():  # noqa: ASYNC110 - what is waited for knows of no event
        await asyncio.sleep(0.01)
