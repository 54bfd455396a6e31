"""Types of a record's columns, read off its class: for values that come back from JSON or from a cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType, NoneType
from typing import Any, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class ColumnType:
    """What a column holds."""

    kind: type
    nullable: bool

    @property
    def ordered_as(self) -> type:
        """What it is ordered by; members of enums by their names."""
        return str if issubclass(self.kind, StrEnum) else self.kind


@cache
def column_types(record: type) -> Mapping[str, ColumnType]:
    """The type of each column of a kind of record."""
    return MappingProxyType({name: _type(hint) for name, hint in get_type_hints(record).items()})


def _type(hint: Any) -> ColumnType:
    members = [member for member in get_args(hint) if member is not NoneType]
    nullable = NoneType in get_args(hint)
    kind = members[0] if nullable else hint
    return ColumnType(get_origin(kind) or kind, nullable)
