"""Plans of the statements that the service sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextmanager
def sent() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Statements with their parameters, as they go to the driver."""
    seen: list[tuple[str, tuple[Any, ...]]] = []

    def record(
        _connection: object, _cursor: object, statement: str, parameters: tuple[Any, ...], *_: object
    ) -> None:
        seen.append((statement, tuple(parameters)))

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", record)


async def explained(sql: asyncpg.Connection, statement: str, parameters: tuple[Any, ...]) -> dict[str, Any]:
    """The plan of a statement with these parameters."""
    return orjson.loads(await sql.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *parameters))[0]["Plan"]


def scans(plan: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Every scan of tables and indexes in a plan, with its index."""
    kind = plan["Node Type"]
    reads = kind.endswith("Scan") and ("Relation Name" in plan or "Index Name" in plan)
    here = [(kind, plan.get("Index Name"))] if reads else []
    return here + [scan for child in plan.get("Plans", []) for scan in scans(child)]
