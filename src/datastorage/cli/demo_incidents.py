"""Made-up remediations for the demo: what an on-call engineer would recognise from sixty days of a company.

An episode is one failure at one place; its attempts are the remediations. Everything follows from the seed
and the minute that the request ids carry, so the same incidents can be made again at any later time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count as count_up
from itertools import islice
from random import Random
from types import MappingProxyType
from typing import Any, Final

from datastorage.cli.demo_catalogue import (
    CLUSTERS,
    WORKLOADS,
    Action,
    Cluster,
    Scenario,
    Workload,
    load_scenarios,
)
from datastorage.cli.demo_timing import duration, moment, until_next_attempt, until_recurrence
from datastorage.cli.demo_wording import (
    Words,
    attempt_words,
    episode_words,
    filled,
    filled_parameters,
    place_words,
    skewed,
)
from datastorage.domain.enums import Phase, Severity

REQUEST_ID_PREFIX: Final = "demo-"
ATTEMPTS_MAX: Final = 4
GIVES_UP: Final = 0.2  # after a failed attempt: a human takes over
USUAL_WORDING: Final = 0.8  # the rest of the time the same failure is worded otherwise
SEVERITY_UNKNOWN: Final = 0.015  # alerts without the label

_MINUTE_FORMAT: Final = "%Y%m%dT%H%MZ"
# What is going on just now, by the number of its episode; two have hung for more than a day.
_IN_FLIGHT: Final = MappingProxyType(
    {
        3: (Phase.PROCESSING, timedelta(seconds=247)),
        8: (Phase.PENDING, timedelta(seconds=52)),
        17: (Phase.PROCESSING, timedelta(seconds=671)),
        29: (Phase.PENDING, timedelta(seconds=118)),
        37: (Phase.PROCESSING, timedelta(hours=31, seconds=405)),
        52: (Phase.PROCESSING, timedelta(seconds=133)),
        61: (Phase.PENDING, timedelta(hours=54, seconds=1_239)),
        84: (Phase.PROCESSING, timedelta(seconds=428)),
        99: (Phase.PENDING, timedelta(seconds=19)),
    }
)
_MILDER: Final = MappingProxyType(
    {
        "staging": (Severity.MEDIUM, Severity.LOW, Severity.WARNING),
        "development": (Severity.LOW, Severity.INFO),
    }
)


def demo_incidents(count: int, *, seed: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Create inputs by column name, in no order of time. A larger count begins with the same incidents.

    Another `now` moves them in time, and leaves what happens as it is.
    """
    now = now.astimezone(UTC).replace(second=0, microsecond=0)
    prefix = f"{request_id_prefix(seed)}{now.strftime(_MINUTE_FORMAT)}-"
    for number, incident in enumerate(islice(_incidents(seed, now), count), 1):
        yield {"remediation_request_id": f"{prefix}{number:05d}", **incident}


def request_id_prefix(seed: int) -> str:
    """How the request ids of one seed begin."""
    return f"{REQUEST_ID_PREFIX}{seed}-"


def made_at(request_id: str) -> datetime | None:
    """The `now` that an incident of the demo was made for; None for other request ids."""
    match = re.fullmatch(rf"{REQUEST_ID_PREFIX}\d+-(\d{{8}}T\d{{4}}Z)-\d+", request_id)
    try:
        return datetime.strptime(match[1], _MINUTE_FORMAT).replace(tzinfo=UTC) if match else None
    except ValueError:  # no such day: somebody else's id
        return None


@dataclass(frozen=True, slots=True)
class _Place:
    """What fails where, and the words that are the same whenever it does."""

    scenario: Scenario
    cluster: Cluster
    workload: Workload
    words: Words
    title: str
    errors: tuple[str, ...]
    usual_error: str
    target: str

    @classmethod
    def of(cls, scenario: Scenario, cluster: Cluster, workload: Workload) -> _Place:
        place = _repeatable(_place(scenario, cluster, workload))
        words = place_words(place, cluster, workload)
        errors = scenario.wordings(workload.tags)
        title, target = place.choice(scenario.titles), place.choice(scenario.targets)
        return cls(scenario, cluster, workload, words, title, errors, place.choice(errors), target)


def _incidents(seed: int, now: datetime) -> Iterator[dict[str, Any]]:
    scenarios = load_scenarios()
    for number in count_up():
        random = _repeatable(f"{seed}/{number}")
        (scenario,) = random.choices(scenarios, [scenario.weight for scenario in scenarios])
        (cluster,) = random.choices(CLUSTERS, [cluster.weight for cluster in CLUSTERS])
        place = _Place.of(scenario, cluster, skewed(random, _prone_to(scenario)))
        if number in _IN_FLIGHT:
            phase, age = _IN_FLIGHT[number]
            yield _Episode(random, place).attempt(now - age, phase)
        else:
            start = moment(_repeatable(f"{seed}/{number}/start"), cluster, now)
            yield from _Episode(random, place).attempts(start, now)


def _prone_to(scenario: Scenario) -> tuple[Workload, ...]:
    """What the scenario can befall, the weak points of this company first."""
    workloads = [workload for workload in WORKLOADS if scenario.on in workload.tags]
    _repeatable(scenario.alert).shuffle(workloads)
    return tuple(workloads)


class _Episode:
    """One failure at one place, until it is mended or handed over to a human."""

    def __init__(self, random: Random, place: _Place) -> None:
        self._random, self._place = random, place
        self._words = {**place.words, **episode_words(random, place.cluster)}
        self._numbers = count_up(1)
        self._last_action: Action | None = None

    def attempts(self, start: datetime, now: datetime) -> Iterator[dict[str, Any]]:
        """Remediations one after the other, each with another action than the one before."""
        for _ in range(ATTEMPTS_MAX):
            action = self._next_action()
            succeeds = self._random.random() < action.helps
            end = start + duration(self._random, action.minutes, succeeds=succeeds)
            if end > now:
                yield self._remediation(action, start, Phase.PROCESSING)
                return
            yield self._remediation(action, start, Phase.COMPLETED if succeeds else Phase.FAILED, end)
            if self._random.random() >= (action.recurs if succeeds else 1 - GIVES_UP):
                return
            pause = until_recurrence if succeeds else until_next_attempt
            start = end + pause(self._random)
            if start > now:
                return

    def attempt(self, start: datetime, phase: Phase) -> dict[str, Any]:
        """A single remediation that has not ended yet."""
        return self._remediation(self._next_action(), start, phase)

    def _next_action(self) -> Action:
        actions = [action for action in self._place.scenario.actions if action is not self._last_action]
        (self._last_action,) = self._random.choices(actions, [action.tried for action in actions])
        return self._last_action

    def _remediation(
        self, action: Action, start: datetime, phase: Phase, end: datetime | None = None
    ) -> dict[str, Any]:
        place, random = self._place, self._random
        words = {**self._words, **attempt_words(random, place.workload, start)}
        usual = random.random() < USUAL_WORDING
        error = filled(place.usual_error if usual else random.choice(place.errors), words)
        target, resolution = filled(place.target, words), None
        if phase is Phase.COMPLETED:
            resolution = filled(random.choice(action.resolutions), words)
        elif phase is Phase.FAILED:
            error += f"\n{action.type} failed: {filled(random.choice(action.failures), words)}"
        return {
            "name": f"{_slug(place.scenario.alert)}-{place.workload.name}-{words['hex']:5}",
            "namespace": place.workload.namespace,
            "phase": phase,
            "action_type": action.type,
            "action_parameters": filled_parameters(action.parameters, words),
            "start_time": start,
            "end_time": end,
            "alert_fingerprint": _fingerprint(place, target),
            "severity": self._severity(),
            "environment": place.cluster.environment,
            "cluster_name": place.cluster.name,
            "target_resource": target,
            "error_message": error,
            "resolution": resolution,
            "metadata": self._metadata(words),
        }

    def _severity(self) -> Severity:
        if self._random.random() < SEVERITY_UNKNOWN:
            return Severity.UNKNOWN
        scenario, environment = self._place.scenario, self._place.cluster.environment
        return self._random.choice(_MILDER.get(environment, scenario.severities))

    def _metadata(self, words: Words) -> dict[str, Any]:
        place = self._place
        return {
            "demo": True,
            "title": filled(place.title, words),
            "alertname": place.scenario.alert,
            "team": place.workload.team,
            "service": place.workload.name,
            "version": words["version"],
            "region": place.cluster.region,
            "attempt": next(self._numbers),
            "runbook": f"https://runbooks.example.com/{_slug(place.scenario.alert)}",
        }


def words_at(scenario: Scenario, cluster: Cluster, workload: Workload) -> Words:
    """The words that are the same whenever a scenario befalls a workload."""
    return place_words(_repeatable(_place(scenario, cluster, workload)), cluster, workload)


def _place(scenario: Scenario, cluster: Cluster, workload: Workload) -> str:
    return f"{scenario.alert}/{cluster.name}/{workload.name}"


def chance_of(remediation: Mapping[str, Any], about: str) -> Random:
    """Chance for what else is told of an incident; the same for the incident of another day."""
    _, seed, _, number = remediation["remediation_request_id"].split("-")
    return _repeatable(f"{seed}/{number}/{about}")


def _repeatable(seed: str) -> Random:
    return Random(seed)  # noqa: S311 -- made-up data that can be made again; nothing is secret here


def _slug(alert: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", alert).lower()


def _fingerprint(place: _Place, target: str) -> str:
    labels = f"{place.scenario.alert}/{place.cluster.name}/{target}"
    return hashlib.sha256(labels.encode()).hexdigest()[:16]
