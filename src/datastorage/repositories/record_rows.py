"""Rows of the driver as records, with no more columns than are read.

A record of which only some columns were asked for lacks the other attributes: reading one of them is an
AttributeError, never a None that nobody stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from sqlalchemy import Column

from datastorage.db.compiled_statement import result_reader
from datastorage.domain.kind import Wanted
from datastorage.models.base import Member
from datastorage.repositories.record_tables import RECORD_TABLES


class RecordRows:
    """Some columns of a kind of record, and the function that makes records of rows with just these."""

    def __init__(self, type_name: str, wanted: Wanted, besides: Iterable[str] = ()) -> None:
        """All columns unless `wanted` names some; those of `besides` are needed by whoever asks."""
        home = RECORD_TABLES[type_name]
        needed = None if wanted is None else wanted.union(besides)
        self._record = home.kind.record
        self.columns = [column for column in home.record_columns if needed is None or column.name in needed]

    @cached_property
    def record(self) -> Callable[[Any], Any]:
        """A record of a row whose first columns are these."""
        names: dict[str, Any] = {"new": object.__new__, "kind": self._record}
        lines = []
        for place, column in enumerate(self.columns):
            names[f"set{place}"] = getattr(self._record, column.name).__set__  # a slot, although frozen
            names[f"read{place}"] = read = _reader(column)
            lines.append(f" set{place}(record, {f'read{place}(row[{place}])' if read else f'row[{place}]'})")
        source = ["def made(row):", " record = new(kind)", *lines, " return record"]
        exec("\n".join(source), names)  # noqa: S102 -- numbers only
        made: Callable[[Any], Any] = names["made"]
        return made


def _reader(column: Column[Any]) -> Callable[[Any], Any] | None:
    if isinstance(column.type, Member):
        members: dict[str | None, Any] = {member.value: member for member in column.type.kind}
        return {**members, None: None}.__getitem__
    return result_reader(column.type)
