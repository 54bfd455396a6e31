"""A span around each statement: its text, in which every value is a parameter, never the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from datastorage.db.faults import sqlstate
from datastorage.db.row_pool import Row, RowPool
from datastorage.observability.spans import Spans

STATEMENT_CHARS_MAX: Final = 2_000
_SPAN: Final = "_datastorage_span"  # on SQLAlchemy's context of one execution


class TracedRowPool(RowPool):
    """The pool for rows, within spans."""

    def __init__(self, pool: RowPool, spans: Spans) -> None:
        self.__dict__.update(pool.__dict__)
        self._spans = spans

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> list[Row]:
        """The rows of one statement that only reads. Errors: Unavailable, OperationTimeout."""
        with self._spans.within(*_told(statement), is_call=True) as span:
            rows = await super().fetch(statement, arguments)
            span.note({"db.response.returned_rows": len(rows)})
            return rows


def watch_statements(engine: AsyncEngine, spans: Spans) -> None:
    """Has SQLAlchemy tell when a statement of this engine begins, ends and fails."""

    def begun(
        _connection: object, _cursor: object, statement: str, _values: object, context: Any, _many: bool
    ) -> None:
        if context is not None:
            setattr(context, _SPAN, spans.begun(*_told(statement)))

    def ended(
        _connection: object, _cursor: object, _statement: str, _values: object, context: Any, _many: bool
    ) -> None:
        span = getattr(context, _SPAN, None)
        if span is not None:
            span.end()

    def failed(context: Any) -> None:
        span = getattr(context.execution_context, _SPAN, None)
        if span is not None:
            span.failed(sqlstate(context.original_exception) or type(context.original_exception).__name__)
            span.end()

    for name, listener in (
        ("before_cursor_execute", begun),
        ("after_cursor_execute", ended),
        ("handle_error", failed),
    ):
        event.listen(engine.sync_engine, name, listener)


def _told(statement: str) -> tuple[str, dict[str, str | int | float | bool]]:
    kind = statement.lstrip().partition(" ")[0].upper()
    return kind, {
        "db.system.name": "postgresql",
        "db.operation.name": kind,
        "db.query.text": statement[:STATEMENT_CHARS_MAX],
    }
