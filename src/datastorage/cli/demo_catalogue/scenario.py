"""Scenarios of the demo, from the TOML files beside this one. Texts are templates, see `demo_wording`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from datastorage.domain.enums import Severity

Parameter: TypeAlias = str | int | float | bool

DEPLOYMENT: Final = "{namespace}/Deployment/{workload}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that is tried against a failure.

    `helps`: share of attempts that succeed; `recurs`: share of successes after which the failure is back
    within a day; `tried`: weight in the choice of what to try; `minutes`: how long it typically takes.
    """

    type: str
    helps: float
    recurs: float = 0.08
    tried: float = 1.0
    minutes: float
    parameters: Mapping[str, Parameter]
    resolutions: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A kind of failure: how it shows, what it befalls, and what is done about it.

    `on`: tag of the workloads it befalls; `weight`: how common it is; `errors`: ways in which it is worded,
    `runtime_errors`: further ones of workloads with a tag; `causes`: what may be behind it.
    """

    alert: str
    titles: tuple[str, ...]
    causes: tuple[str, ...]
    on: str = "service"
    targets: tuple[str, ...] = (DEPLOYMENT,)
    severities: tuple[Severity, ...]
    weight: float = 1.0
    errors: tuple[str, ...]
    runtime_errors: Mapping[str, tuple[str, ...]]
    actions: tuple[Action, ...]

    def wordings(self, tags: frozenset[str]) -> tuple[str, ...]:
        """The errors that a workload with these tags would log."""
        of_runtime = (error for tag, errors in self.runtime_errors.items() if tag in tags for error in errors)
        return (*self.errors, *of_runtime)


def load_scenarios() -> tuple[Scenario, ...]:
    """The whole catalogue, in an order that does not change."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return tuple(
        _scenario(table) for file in files for table in tomllib.loads(file.read_text("utf-8"))["scenario"]
    )


def _scenario(table: dict[str, Any]) -> Scenario:
    severities = tuple(Severity(name) for name in table["severities"])
    actions = tuple(Action(**_frozen(action)) for action in table["actions"])
    runtime_errors = _frozen(table.get("runtime_errors", {}))
    parts = {"severities": severities, "actions": actions, "runtime_errors": runtime_errors}
    return Scenario(**{**_frozen(table), **parts})


def _frozen(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
