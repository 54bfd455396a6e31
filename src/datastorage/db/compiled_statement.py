"""A statement written by SQLAlchemy once, for many values: text for asyncpg, and which value goes where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import BindParameter, Float, Numeric
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.types import TypeEngine

DIALECT: Final = PGDialect_asyncpg()  # type: ignore[no-untyped-call]

Argument = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """Stands in a statement for a value that comes with each call: the `number`th of them."""

    number: int


class CompiledStatement:
    """Text with numbered parameters. Wherever a value was bound as a `Slot`, the call's value is sent."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        self.text: str = compiled.string
        values, binds = compiled.params, compiled.binds
        self._arguments = [_argument(values[name], binds.get(name)) for name in compiled.positiontup or ()]

    def arguments(self, values: Sequence[Any]) -> list[Any]:
        """What to send with the text."""
        return [argument(values) for argument in self._arguments]


def result_reader(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """What turns the driver's value into ours; None where they are the same."""
    if isinstance(
        kind, Float | Numeric
    ):  # the driver's own; SQLAlchemy wants to see the server's answer first
        return None
    reader: Callable[[Any], Any] | None = kind.dialect_impl(DIALECT).result_processor(DIALECT, None)
    return reader


def _argument(bound: Any, parameter: BindParameter[Any] | None) -> Argument:
    write = parameter.type.dialect_impl(DIALECT).bind_processor(DIALECT) if parameter is not None else None
    if isinstance(bound, Slot):
        value: Argument = itemgetter(bound.number)
        return value if write is None else lambda values: write(value(values))
    if isinstance(bound, list) and bound and isinstance(bound[0], Slot):  # all values of a list as one array
        items = itemgetter(bound[0].number)
        return lambda values: list(items(values)) if write is None else write(list(items(values)))
    constant = bound if write is None else write(bound)
    return lambda _values: constant
