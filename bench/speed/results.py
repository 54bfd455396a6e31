"""What was measured, and what follows from it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
from bench.speed.names import PEERS, SERVICE


@dataclass(frozen=True)
class Measurement:
    """One peer, asked one question for some seconds."""

    question: str
    peer: str
    round: int
    requests: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float  # of the peer, per request
    database_cpu_ms: float  # of PostgreSQL, per request
    peak_mb: float  # of the peer
    fault: str = ""  # why it tells nothing


FIGURES = ("per_s", "p50_ms", "p95_ms", "p99_ms", "cpu_ms", "database_cpu_ms", "peak_mb")


@dataclass(frozen=True)
class Summary:
    """All rounds of a peer on a question: medians, the most memory, and the median of the ratios."""

    question: str
    peer: str
    figures: dict[str, float]
    ratio: float | None  # requests a second of the service / of this peer, round by round
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Results:
    """A whole run."""

    about: dict[str, Any]
    measurements: Sequence[Measurement] = ()
    growth: Sequence[Measurement] = field(default=())  # `round` is the number of incidents there

    def summaries(self) -> list[Summary]:
        """By question, then peer."""
        questions = dict.fromkeys(each.question for each in self.measurements)
        return [
            summary(question, peer, self.measurements)
            for question in questions
            for peer in PEERS
            if any((each.question, each.peer) == (question, peer) for each in self.measurements)
        ]

    def save(self, file: Path) -> None:
        """As JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    @classmethod
    def load(cls, file: Path) -> Results:
        """What was saved."""
        found = orjson.loads(file.read_bytes())
        measurements, growth = (
            [Measurement(**each) for each in found[name]] for name in ("measurements", "growth")
        )
        return cls(found["about"], measurements, growth)


def summary(question: str, peer: str, measurements: Iterable[Measurement]) -> Summary:
    """Of the rounds that went well."""
    asked = [each for each in measurements if each.question == question]
    good = {(each.peer, each.round): each for each in asked if not each.fault}
    mine = [each for (name, _), each in good.items() if name == peer]
    figures = {name: statistics.median(getattr(each, name) for each in mine) for name in FIGURES if mine}
    if mine:
        figures["peak_mb"] = max(each.peak_mb for each in mine)
    ratios = [good[SERVICE, each.round].per_s / each.per_s for each in mine if (SERVICE, each.round) in good]
    faults = tuple(each.fault for each in asked if each.peer == peer and each.fault)
    return Summary(question, peer, figures, statistics.median(ratios) if ratios else None, faults)
