"""The floor: an ASGI application that sends one prepared statement and writes JSON, and nothing else.

No GraphQL, no validation, no rights: what any server in Python on this database has to do at the least. The path
names the question, the body has its variables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from bench.speed import statements
from datastorage.domain.names import camel

CONNECTIONS: Final = 16
NAMES: Final = ("databaseId", *map(camel, statements.COLUMNS[1:]))
JSON_HEADERS: Final = [(b"content-type", b"application/json")]

Variables = dict[str, Any]


def row(record: asyncpg.Record) -> dict[str, Any]:
    """The fields of a remediation."""
    return dict(zip(NAMES, record, strict=False))


def page(records: Sequence[asyncpg.Record]) -> dict[str, Any]:
    """A list."""
    return {"remediationAudits": {"nodes": [row(record) for record in records]}}


def one(records: Sequence[asyncpg.Record]) -> dict[str, Any]:
    """A single remediation."""
    return {"remediationAudit": row(records[0])}


def nested(records: Sequence[asyncpg.Record]) -> dict[str, Any]:
    """Remediations, each with its analyses."""
    found: dict[int, dict[str, Any]] = {}
    for record in records:
        audit = found.setdefault(record["id"], {**row(record), "analyses": {"nodes": []}})
        if record["analysis_id"] is not None:
            names = ("analysis_id", "confidence_score", "root_cause")
            audit["analyses"]["nodes"].append({camel(name): record[name] for name in names})
    return {"remediationAudits": {"nodes": list(found.values())}}


def figures(records: Sequence[asyncpg.Record]) -> dict[str, Any]:
    """Statistics."""
    return {
        "remediationStats": [{camel(name): value for name, value in record.items()} for record in records]
    }


def created(records: Sequence[asyncpg.Record]) -> dict[str, Any]:
    """What was stored."""
    return {"createRemediationAudit": one(records)}


def moment(text: str) -> datetime:
    """A time as JSON has it."""
    return datetime.fromisoformat(text)


def inserted(variables: Variables) -> list[Any]:
    """The columns of a create."""
    given = variables["row"]
    values = {**given, **{name: given[name] and moment(given[name]) for name in ("start_time", "end_time")}}
    values["content_hash"] = bytes.fromhex(given["content_hash"])
    return [values[name] for name in statements.INSERTED]


QUESTIONS: Final[dict[str, tuple[str, Callable[[Variables], list[Any]], Callable[..., dict[str, Any]]]]] = {
    "/list": (statements.LIST, lambda variables: [variables["first"]], page),
    "/get": (statements.GET, lambda variables: [variables["requestId"]], one),
    "/nested": (
        statements.NESTED,
        lambda variables: [variables["namespace"], variables["phase"].lower()],
        nested,
    ),
    "/statistics": (
        statements.STATISTICS,
        lambda variables: [moment(variables["from"]), moment(variables["to"])],
        figures,
    ),
    "/create": (statements.CREATE, inserted, created),
}


class Floor:
    """Connections with every statement prepared; whoever asks takes the one that rests longest."""

    def __init__(self) -> None:
        self._free: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def open(self) -> None:
        """Connects; where to, the environment says as for libpq."""
        for _ in range(CONNECTIONS):
            connection = await asyncpg.connect()
            await connection.set_type_codec(
                "jsonb", schema="pg_catalog", encoder=dumped, decoder=orjson.loads
            )
            self._free.put_nowait(
                {path: await connection.prepare(question[0]) for path, question in QUESTIONS.items()}
            )

    async def answer(self, path: str, body: bytes) -> bytes:
        """The answer to one question."""
        _, arguments, shaped = QUESTIONS[path]
        given = arguments(orjson.loads(body)["variables"])
        prepared = await self._free.get()
        try:
            records = await prepared[path].fetch(*given)
        finally:
            self._free.put_nowait(prepared)
        return orjson.dumps({"data": shaped(records)}, option=orjson.OPT_UTC_Z)


def dumped(value: Any) -> str:
    """JSON as text."""
    return orjson.dumps(value).decode()


floor = Floor()


async def app(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """ASGI."""
    if scope["type"] == "lifespan":
        await receive()
        await floor.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    answer = await floor.answer(scope["path"], body)
    await send({"type": "http.response.start", "status": 200, "headers": JSON_HEADERS})
    await send({"type": "http.response.body", "body": answer})
