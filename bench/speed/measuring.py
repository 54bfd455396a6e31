"""Runs: every contestant in turn, round by round, so that all of them meet the same machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.speed.cleaning import settle
from bench.speed.contestant import Contestant
from bench.speed.names import PGBENCH
from bench.speed.peers import started
from bench.speed.questions import Question
from bench.speed.results import Measurement
from bench.speed.sample import Sample
from bench.speed.verifying import verify
from bench.speed.wrk import RunFailed

WARM_S: Final = 2

OnStep = Callable[[str, Measurement | None], None]


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long; `samples` are of databases by how much is stored there."""

    questions: Sequence[Question]
    peers: Sequence[str]
    samples: dict[int, Sample]
    seconds: int
    rounds: int
    connections: int | None = None  # instead of those of each question

    @property
    def measurements(self) -> int:
        """How many there will be."""
        return self.rounds * len(self.samples) * sum(len(self.asked(each)) for each in self.questions)

    def asked(self, question: Question) -> list[str]:
        """The peers that can answer a question."""
        return [name for name in self.peers if name in question.asks]


def measure(plan: Plan, logs: Path, on_step: OnStep, failed: dict[str, str]) -> Iterator[Measurement]:
    """All of it. A question of which a peer does not start, or answers otherwise than the others, is left out:
    `failed` says why.
    """  # noqa: D205 -- two sentences, one thought
    for question in plan.questions:
        on_step(f"{question.name}: starting", None)
        try:
            with ExitStack() as stack:
                contestants = _entered(stack, plan, question, logs)
                for rows in plan.samples:
                    verify([each for each in contestants if each.rows == rows])
                for contestant in contestants:
                    on_step(f"{question.name}: warming", None)
                    contestant.ask(WARM_S)
                    settle(contestant.sample.database, question)
                yield from _rounds(plan, contestants, on_step)
        except RunFailed as failure:
            failed[question.name] = str(failure)
            on_step(f"{question.name} failed: {failure}", None)


def _entered(stack: ExitStack, plan: Plan, question: Question, logs: Path) -> list[Contestant]:
    """Everyone who can answer a question, started."""
    contestants = []
    for name in plan.asked(question):
        for rows, sample in plan.samples.items():
            running = (
                None
                if name == PGBENCH
                else stack.enter_context(started(name, sample.database, logs, question.settings))
            )
            connections = plan.connections or question.connections
            contestants.append(Contestant(question, name, running, sample, rows, connections))
    return contestants


def _rounds(plan: Plan, contestants: Sequence[Contestant], on_step: OnStep) -> Iterator[Measurement]:
    for number in range(plan.rounds):
        first = number % len(contestants)  # another one begins in each round
        for contestant in (*contestants[first:], *contestants[:first]):
            who = contestant.peer if len(plan.samples) == 1 else f"{contestant.rows:,} rows"
            on_step(f"{contestant.question.name}: {who}", None)
            measured = contestant.measured(plan.seconds, number)
            on_step(f"{contestant.question.name}: {who}", measured)
            yield measured
