"""Plans of the statements that the service sends."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import Engine

from datastorage.db.row_pool import RowPool

Seen = Callable[[str, tuple[Any, ...]], object]


@contextmanager
def watched(seen: Seen) -> Iterator[None]:
    """Tells of every statement with its parameters as it goes to the driver, by SQLAlchemy or as rows."""

    def record(
        _connection: object, _cursor: object, statement: str, parameters: tuple[Any, ...], *_: object
    ) -> None:
        seen(statement, tuple(parameters))

    fetch = RowPool.fetch

    async def recorded(pool: RowPool, statement: str, arguments: Sequence[Any]) -> list[Any]:
        seen(statement, tuple(arguments))
        return await fetch(pool, statement, arguments)

    event.listen(Engine, "before_cursor_execute", record)
    RowPool.fetch = recorded  # type: ignore[method-assign]
    try:
        yield
    finally:
        RowPool.fetch = fetch  # type: ignore[method-assign]
        event.remove(Engine, "before_cursor_execute", record)


@contextmanager
def sent() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Statements with their parameters, as they go to the driver."""
    seen: list[tuple[str, tuple[Any, ...]]] = []
    with watched(lambda statement, parameters: seen.append((statement, parameters))):
        yield seen


async def explained(sql: asyncpg.Connection, statement: str, parameters: tuple[Any, ...]) -> dict[str, Any]:
    """The plan of a statement with these parameters."""
    return orjson.loads(await sql.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *parameters))[0]["Plan"]


def scans(plan: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Every scan of tables and indexes in a plan, with its index."""
    kind = plan["Node Type"]
    reads = kind.endswith("Scan") and ("Relation Name" in plan or "Index Name" in plan)
    here = [(kind, plan.get("Index Name"))] if reads else []
    return here + [scan for child in plan.get("Plans", []) for scan in scans(child)]
