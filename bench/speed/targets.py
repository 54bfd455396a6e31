"""What the service is meant to reach, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.speed.names import FLOOR, POSTGRAPHILE, SERVICE, STRAWBERRY
from bench.speed.results import Results, Summary, summary

SMALL, LARGE = 100_000, 1_000_000


@dataclass(frozen=True)
class Verdict:
    """One target, and what was found."""

    what: str
    wanted: str
    found: str
    met: bool | None  # None: not measured

    @property
    def word(self) -> str:
        """For people."""
        return {True: "met", False: "not met", None: "not measured"}[self.met]


@dataclass(frozen=True)
class Target:
    """A bound on one figure."""

    what: str
    figure: Callable[[Results], float | None]
    bound: float
    unit: str
    at_least: bool = True

    def verdict(self, results: Results) -> Verdict:
        """Whether it holds."""
        found = self.figure(results)
        met = None if found is None else found >= self.bound if self.at_least else found < self.bound
        sign = "≥" if self.at_least else "<"
        return Verdict(
            self.what,
            f"{sign} {_shown(self.bound, self.unit)}",
            "" if found is None else _shown(found, self.unit),
            met,
        )


def times(question: str, peer: str) -> Callable[[Results], float | None]:
    """How many times as fast as a peer."""
    return lambda results: _summary(results, question, peer).ratio


def figure(question: str, name: str) -> Callable[[Results], float | None]:
    """A figure of the service."""
    return lambda results: _summary(results, question, SERVICE).figures.get(name)


def growth(question: str) -> Callable[[Results], float | None]:
    """How many times as long a request takes with ten times the incidents."""
    return lambda results: results.growth(question, SMALL, LARGE)


def memory(results: Results) -> float | None:
    """The most that the service held."""
    held = [each.peak_mb for each in results.measurements if each.peer == SERVICE]
    return max(held, default=None)


TARGETS: Final = (
    Target("list, against PostGraphile", times("list", POSTGRAPHILE), 2.5, "×"),
    Target("get, against PostGraphile", times("get", POSTGRAPHILE), 1.5, "×"),
    Target("nested list, against PostGraphile", times("nested", POSTGRAPHILE), 2.0, "×"),
    Target("create without embedding, against PostGraphile", times("create", POSTGRAPHILE), 2.0, "×"),
    Target("list, against plain Strawberry", times("list", STRAWBERRY), 30.0, "×"),
    Target("list, against the floor", times("list", FLOOR), 0.4, "×"),
    Target("create with everything, every text new", figure("create_new", "per_s"), 900.0, "/s"),
    Target(
        "create with everything, four texts of five known", figure("create_known", "per_s"), 3_000.0, "/s"
    ),
    Target("similarIncidents at 8 clients", figure("similar", "per_s"), 150.0, "/s"),
    Target("similarIncidents p95", figure("similar", "p95_ms"), 100.0, "ms", at_least=False),
    Target("queries: lists", figure("list", "per_s"), 1_000.0, "/s"),
    Target("writes: creates without embedding", figure("create", "per_s"), 500.0, "/s"),
    Target("list p95", figure("list", "p95_ms"), 50.0, "ms", at_least=False),
    Target("get p95", figure("get", "p95_ms"), 20.0, "ms", at_least=False),
    Target("create p95", figure("create", "p95_ms"), 50.0, "ms", at_least=False),
    Target(
        "create with everything p95, every text new",
        figure("create_new", "p95_ms"),
        250.0,
        "ms",
        at_least=False,
    ),
    Target("memory of the process", memory, 200.0, "MB", at_least=False),
)
GROWTH_TARGETS: Final = (
    Target("list", growth("list"), 1.3, "×", at_least=False),
    Target("get", growth("get"), 1.3, "×", at_least=False),
    Target("create, four texts of five known", growth("create_known"), 1.3, "×", at_least=False),
    Target("create, every text new", growth("create_new"), 1.3, "×", at_least=False),
    Target("similarIncidents", growth("similar"), 2.5, "×", at_least=False),
)


def judged(results: Results, targets: Sequence[Target] = TARGETS) -> list[Verdict]:
    """All targets."""
    return [target.verdict(results) for target in targets]


def _summary(results: Results, question: str, peer: str) -> Summary:
    return summary(question, peer, results.measurements)


def _shown(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or unit == "/s" else 2 if unit == "×" else 1  # noqa: PLR2004 -- enough to tell
    return f"{value:,.{digits}f} {unit}".replace(" /s", "/s")
