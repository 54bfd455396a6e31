"""One server on one database, and one question that it is asked: a contestant in the rounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Final

from bench.speed import pgbench, usage, wrk
from bench.speed.cleaning import counted, settle
from bench.speed.peers import Running
from bench.speed.questions import Question
from bench.speed.results import Measurement
from bench.speed.sample import Sample
from bench.speed.wrk import Answered, Load

RUNS: Final = count(1)  # each has a number of its own, which goes into the keys and the texts it writes


@dataclass(frozen=True)
class Contestant:
    """Who is asked; `running` is None for the bare statement, which pgbench sends by itself."""

    question: Question
    peer: str
    running: Running | None
    sample: Sample
    rows: int  # that are stored
    connections: int

    @cached_property
    def bodies(self) -> list[str]:
        """What is posted to it."""
        ask = self.question.asks[self.peer]
        return [ask.body(variables) for variables in self.question.variables(self.sample)]

    def ask(self, seconds: int) -> Answered:
        """Asks for some seconds. Errors: RunFailed."""
        ask = self.question.asks[self.peer]
        if self.running is None:
            return pgbench.ask(self.sample.database, ask.script, seconds, self.connections, self.rows)
        url = f"{self.running.url}{ask.path}"
        return wrk.ask(
            Load(url, self.bodies, self.question.marker, self.connections), seconds, run=next(RUNS)
        )

    def measured(self, seconds: int, number: int) -> Measurement:
        """The figures of one round; what it wrote is taken away again. Errors: RunFailed."""
        before = self._cpu_s()
        answered = self.ask(seconds)
        after = self._cpu_s()
        fault = self._fault(answered)
        settle(self.sample.database, self.question)
        requests = max(answered.requests, 1)
        return Measurement(
            question=self.question.name,
            peer=self.peer,
            rows=self.rows,
            round=number,
            requests=answered.requests,
            per_s=answered.per_s,
            p50_ms=answered.p50_ms,
            p95_ms=answered.p95_ms,
            p99_ms=answered.p99_ms,
            cpu_ms=(after[0] - before[0]) * 1000 / requests,
            database_cpu_ms=(after[1] - before[1]) * 1000 / requests,
            peak_mb=0.0 if self.running is None else usage.peak_mb(self.running.pid),
            fault=fault,
        )

    def _fault(self, answered: Answered) -> str:
        """Why a measurement tells nothing: bad answers, or writes that are not there."""
        if not answered.requests:
            return f"not one answer in {answered.seconds:.0f} s"
        if answered.bad:
            return f"{answered.bad} of {answered.requests} answers were bad: {answered.sample}"
        if self.question.writes:
            stored, acknowledged = counted(self.sample.database), answered.requests * self.question.rows
            if stored < acknowledged:
                return f"{acknowledged} were acknowledged, {stored} are stored"
        return ""

    def _cpu_s(self) -> tuple[float, float]:
        own = 0.0 if self.running is None else usage.cpu_s(self.running.pid)
        return own, usage.cpu_s(self.sample.database.pid)
