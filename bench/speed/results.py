"""What was measured, and what follows from it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.speed.names import PEERS, SERVICE


@dataclass(frozen=True)
class Measurement:
    """One peer, asked one question for some seconds."""

    question: str
    peer: str
    rows: int  # that are stored
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
    """A whole run: of one number of rows, or of several, to see how cost grows."""

    about: dict[str, Any]
    measurements: Sequence[Measurement]

    @property
    def sizes(self) -> list[int]:
        """How many rows there were."""
        return sorted({each.rows for each in self.measurements})

    @property
    def questions(self) -> list[str]:
        """What was asked, in this order."""
        return list(dict.fromkeys(each.question for each in self.measurements))

    def summaries(self) -> list[Summary]:
        """By question, then peer."""
        return [
            summary(question, peer, self.measurements)
            for question in self.questions
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
        return cls(found["about"], [Measurement(**each) for each in found["measurements"]])

    def per_s(self, question: str, rows: int) -> float | None:
        """Requests a second that the service answers with so many rows; the median of the rounds."""
        found = [
            each.per_s
            for each in self.measurements
            if (each.question, each.rows, each.peer) == (question, rows, SERVICE) and not each.fault
        ]
        return statistics.median(found) if found else None

    def growth(self, question: str, small: int, large: int) -> float | None:
        """How many times as long the service takes with more rows; the median of the rounds' ratios."""
        at = {
            (each.rows, each.round): each.per_s
            for each in self.measurements
            if each.question == question and not each.fault
        }
        found = [
            at[small, number] / at[large, number]
            for rows, number in at
            if rows == small and (large, number) in at
        ]
        return statistics.median(found) if found else None


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
