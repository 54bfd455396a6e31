"""Options that say which records are meant, for `export` and `delete`, and the selection they make."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import typer

from datastorage.domain.enums import Phase, Status
from datastorage.domain.fields import Refused, moment
from datastorage.domain.filters import AllOf, Condition, Filter, Operator, check_bounds
from datastorage.errors import InvalidInput


def time_option(text: str) -> datetime:
    """A time as an option gives it."""
    try:
        return moment(text)
    except Refused as refusal:
        raise typer.BadParameter(f"{text!r} {refusal}") from None


def filter_option(text: str) -> Filter:
    """A GraphQL filter as an option gives it."""
    from datastorage.graphql.filter_json import remediation_filter  # noqa: PLC0415 -- other commands start faster

    try:
        where = remediation_filter(text)
        check_bounds(where)
    except InvalidInput as refused:
        raise typer.BadParameter(str(refused)) from None
    return where


Namespaces: TypeAlias = Annotated[
    list[str] | None, typer.Option("--namespace", metavar="NAME", help="Of this namespace; repeatable.")
]
Clusters: TypeAlias = Annotated[
    list[str] | None, typer.Option("--cluster", metavar="NAME", help="Of this cluster; repeatable.")
]
Phases: TypeAlias = Annotated[
    list[Phase] | None,
    typer.Option(
        "--phase",
        metavar="PHASE",
        case_sensitive=False,
        help=f"Remediations in this phase; repeatable: {', '.join(Phase)}.",
    ),
]
Statuses: TypeAlias = Annotated[
    list[Status] | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        case_sensitive=False,
        help=f"Remediations of this status; repeatable: {', '.join(Status)}.",
    ),
]
FilterOption: TypeAlias = Annotated[
    Any,
    typer.Option(
        "--filter",
        metavar="JSON",
        parser=filter_option,
        help="Remediations that this RemediationAuditFilter of the GraphQL API leaves, as JSON: "
        '\'{"actionType": {"eq": "restart_pod"}}\'.',
    ),
]


def places(namespaces: Sequence[str] | None, clusters: Sequence[str] | None) -> list[Filter]:
    """Conditions that every kind of record knows."""
    return [*_one_of("namespace", namespaces), *_one_of("cluster_name", clusters)]


def of_remediations(
    phases: Sequence[Phase] | None, statuses: Sequence[Status] | None, where: Filter | None
) -> list[Filter]:
    """Conditions that only remediations know."""
    return [*_one_of("phase", phases), *_one_of("status", statuses), *([] if where is None else [where])]


def between(column: str, since: datetime | None, until: datetime | None) -> list[Filter]:
    """Conditions on when a record began."""
    found: list[Filter] = []
    if since is not None:
        found.append(Condition(column, Operator.GTE, since))
    if until is not None:
        found.append(Condition(column, Operator.LT, until))
    return found


def all_of(parts: Sequence[Filter]) -> Filter:
    """One filter of them."""
    return AllOf(tuple(parts))


def _one_of(column: str, values: Sequence[Any] | None) -> list[Filter]:
    return [Condition(column, Operator.IN, tuple(values))] if values else []
