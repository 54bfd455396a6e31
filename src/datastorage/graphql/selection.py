"""Which fields of an answer a client wants, for resolvers that leave out what costs much and nobody asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from strawberry.types.nodes import SelectedField, Selection

from datastorage.domain.kind import Wanted
from datastorage.graphql.context import Info


def wanted(info: Info) -> Wanted:
    """Which attributes of the records found will be read; anything may be unless the operation is compiled."""
    return getattr(info, "wanted", None)


def selected(info: Info) -> set[str]:
    """Names in the schema of the fields selected right below this one, fragments looked through."""
    return {name for field in info.selected_fields for name in _names(field.selections)}


def _names(selections: Iterable[Selection]) -> Iterator[str]:
    for selection in selections:
        if _left_out(selection):
            continue
        if isinstance(selection, SelectedField):
            yield selection.name
        else:
            yield from _names(selection.selections)


def _left_out(selection: Selection) -> bool:
    """By `@skip` or `@include`."""
    skip, include = selection.directives.get("skip", {}), selection.directives.get("include", {})
    return skip.get("if") is True or include.get("if") is False
