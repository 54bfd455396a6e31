"""Runs: every peer in turn, round by round, so that all of them meet the same machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.speed import pgbench, usage, wrk
from bench.speed.cleaning import counted, settle
from bench.speed.names import PGBENCH
from bench.speed.peers import Running, started
from bench.speed.questions import Ask, Question
from bench.speed.results import Measurement
from bench.speed.sample import Sample
from bench.speed.verifying import verify
from bench.speed.wrk import Answered, Load

WARM_S: Final = 2


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long."""

    questions: Sequence[Question]
    peers: Sequence[str]
    rows: int
    seconds: int
    rounds: int
    connections: int | None = None  # instead of those of each question

    @property
    def measurements(self) -> int:
        """How many there will be."""
        return self.rounds * sum(len(self.asked(question)) for question in self.questions)

    def asked(self, question: Question) -> list[str]:
        """The peers that can answer a question."""
        return [name for name in self.peers if name in question.asks]


class Client:
    """Asks the peers; every run of a client has a number of its own, which goes into the keys it writes."""

    def __init__(self, plan: Plan, sample: Sample) -> None:
        self._plan, self._sample, self._runs = plan, sample, 0
        self._bodies: dict[tuple[str, str], list[str]] = {}

    def ask(self, question: Question, peer: str, running: Running | None, seconds: int) -> Answered:
        """Errors: RunFailed."""
        ask, connections = question.asks[peer], self._plan.connections or question.connections
        if running is None:
            return pgbench.ask(self._sample.database, ask.script, seconds, connections, self._plan.rows)
        self._runs += 1
        load = Load(f"{running.url}{ask.path}", self.bodies(question, peer), question.marker, connections)
        return wrk.ask(load, seconds, self._runs)

    def bodies(self, question: Question, peer: str) -> list[str]:
        """What is posted to a peer."""
        key = question.name, peer
        if key not in self._bodies:
            ask: Ask = question.asks[peer]
            self._bodies[key] = [ask.body(variables) for variables in question.variables(self._sample)]
        return self._bodies[key]


def measure(
    plan: Plan, sample: Sample, logs: Path, on_step: Callable[[str, Measurement | None], None]
) -> list[Measurement]:
    """All of it. Errors: RunFailed, where a peer cannot be started or answers something else than the others."""
    client = Client(plan, sample)
    found = []
    for question in plan.questions:
        on_step(f"{question.name}: starting", None)
        with ExitStack() as stack:
            peers = {
                name: None
                if name == PGBENCH
                else stack.enter_context(started(name, sample.database, logs, question.settings))
                for name in plan.asked(question)
            }
            verify(question, peers, client.bodies)
            for name, running in peers.items():
                on_step(f"{question.name}: warming {name}", None)
                client.ask(question, name, running, WARM_S)
            settle(sample.database, question)
            for number in range(plan.rounds):
                for name in _in_turn(list(peers), number):
                    on_step(f"{question.name}: {name}", None)
                    measured = one(client, question, name, peers[name], plan, number, sample)
                    found.append(measured)
                    on_step(f"{question.name}: {name}", measured)
    return found


def one(
    client: Client,
    question: Question,
    name: str,
    running: Running | None,
    plan: Plan,
    number: int,
    sample: Sample,
) -> Measurement:
    """One measurement, and what it wrote removed."""
    database = sample.database
    before = _cpu_s(running), usage.cpu_s(database.pid)
    answered = client.ask(question, name, running, plan.seconds)
    after = _cpu_s(running), usage.cpu_s(database.pid)
    fault = (
        f"{answered.bad} of {answered.requests} answers were bad: {answered.sample}" if answered.bad else ""
    )
    if question.writes:
        stored, acknowledged = counted(database), answered.requests * question.rows
        if stored < acknowledged:
            fault = f"{acknowledged} were acknowledged, {stored} are stored"
        settle(database, question)
    requests = max(answered.requests, 1)
    return Measurement(
        question=question.name,
        peer=name,
        round=number,
        requests=answered.requests,
        per_s=answered.per_s,
        p50_ms=answered.p50_ms,
        p95_ms=answered.p95_ms,
        p99_ms=answered.p99_ms,
        cpu_ms=(after[0] - before[0]) * 1000 / requests,
        database_cpu_ms=(after[1] - before[1]) * 1000 / requests,
        peak_mb=0.0 if running is None else usage.peak_mb(running.pid),
        fault=fault,
    )


def _cpu_s(running: Running | None) -> float:
    return 0.0 if running is None else usage.cpu_s(running.pid)


def _in_turn(names: list[str], number: int) -> list[str]:
    """Another one begins in each round."""
    first = number % len(names)
    return names[first:] + names[:first]
