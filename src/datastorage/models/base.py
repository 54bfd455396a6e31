"""Naming convention and the column types that several tables share."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    MetaData,
    String,
    func,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

TIME = DateTime(timezone=True)


def key(length: int = 255) -> String:
    """Keys compare byte by byte: fast, and the same order on every system."""
    return String(length, collation="C")


class Member(TypeDecorator[Any]):
    """A member of an enum, stored as its value."""

    impl = String(20)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Text → member."""
        return None if value is None else self.kind(value)


def identity() -> Column[int]:
    """A bigint id; writers reserve ids in blocks, so the default is for strangers only."""
    return Column("id", BigInteger, Identity(always=False), primary_key=True)


def stamp(name: str) -> Column[object]:
    """A time that the database sets."""
    return Column(name, TIME, nullable=False, server_default=func.clock_timestamp())


def one_of(column: str, kind: Iterable[StrEnum]) -> CheckConstraint:
    """The closed set of a column."""
    members = ", ".join(f"'{member.value}'" for member in kind)
    return CheckConstraint(f"{column} IN ({members})", name=column)


def not_longer_than(column: str, bytes_max: int) -> CheckConstraint:
    """The size of free text; counted in bytes, since that is what storage and indexes bear."""
    return CheckConstraint(f"octet_length({column}) <= {bytes_max}", name=f"{column}_size")


def index_ignoring_case(column: Column[object]) -> Index:
    """Serves prefixes of a key in whatever case."""
    return Index(f"ix_{column.table.name}_lower_{column.name}", func.lower(column))
