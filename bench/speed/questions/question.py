"""What a question is, and how each peer is asked it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import orjson

from bench.speed.sample import Sample, Variables

FIELDS: Final = "remediationRequestId name namespace phase status actionType startTime durationMs severity clusterName targetResource"
TWELVE: Final = f"databaseId {FIELDS}"
POSTGRAPHILES_TWELVE: Final = f"databaseId: rowId {FIELDS}"
READERS, WRITERS, SEARCHERS, BATCHERS = 16, 64, 8, 8


def _same(variables: Variables) -> Variables:
    return variables


@dataclass(frozen=True)
class Ask:
    """How one peer is asked: a GraphQL document, or nothing but a path for the floor, or a script of pgbench's."""

    document: str | None = None
    path: str = "/graphql"
    given: Callable[[Variables], Variables] = _same
    script: str = ""

    def body(self, variables: Variables) -> str:
        """What is posted."""
        return orjson.dumps({"query": self.document, "variables": self.given(variables)}).decode()


@dataclass(frozen=True)
class Question:
    """One thing that is asked of all who can answer it."""

    name: str
    title: str
    variables: Callable[[Sample], Sequence[Variables]]
    asks: Mapping[str, Ask]
    connections: int = READERS
    marker: str = '"databaseId":'
    writes: bool = False
    rows: int = 1  # records that one request stores
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # of the service


def floor(path: str, given: Callable[[Variables], Variables] = _same) -> Ask:
    """The floor, which knows a question by its path."""
    return Ask(path=path, given=given)


def bare(statement: str, **values: str) -> Ask:
    """pgbench; `values` are what stands for `$1`, `$2` …, in the order of their names."""
    for number, value in enumerate(values.values(), 1):
        statement = statement.replace(f"${number}", value)
    return Ask(script=statement)
