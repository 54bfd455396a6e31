"""`datastorage outbox …` as a process: what waits, what was given up, and having it tried again."""

import json
from typing import Any

import asyncpg
from sqlalchemy.engine import URL

from support.command_line import CommandLine, Ended
from support.service import variables

MODEL = "wordllama-l2-supercat-256"


async def enter(sql: asyncpg.Connection, kind: str, text: str, **fields: Any) -> None:
    """An outbox entry of a text, made two hours ago."""
    given = {"leased_until": "NULL", "parked_at": "NULL", "fault": "NULL", "not_before": "now()", **fields}
    await sql.execute(
        f"INSERT INTO outbox (kind, model, content_hash, attempts, created_at, {', '.join(given)}) "  # noqa: S608 -- names and values of this file
        f"VALUES ($1, $2, sha256($3::text::bytea), 1, now() - interval '2 hours', {', '.join(given.values())})",
        kind,
        MODEL,
        text,
    )


async def fill(sql: asyncpg.Connection) -> None:
    """Two texts to embed, three vectors to mirror; one of each kind is given up."""
    await enter(sql, "embed", "waits", not_before="now() + interval '1 hour'")
    await enter(sql, "embed", "refused", parked_at="now()", fault="'too long'")
    await enter(sql, "mirror", "leased", leased_until="now() + interval '1 hour'")
    await enter(sql, "mirror", "waits")
    await enter(sql, "mirror", "refused", parked_at="now()", fault="'[of another] length'")


def run(commands: CommandLine, database: URL, *arguments: str) -> Ended:
    return commands.run("outbox", *arguments, variables=variables(database) | {"COLUMNS": "200"})


async def test_status_shows_what_waits_and_what_is_given_up(
    commands: CommandLine, own_database: URL, sql_own: asyncpg.Connection
) -> None:
    await fill(sql_own)

    shown = run(commands, own_database, "status")
    document = json.loads(run(commands, own_database, "status", "--json").out)

    assert shown.code == 0, shown.said
    rows = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert rows[0] == "kind model waiting leased oldest parked"
    assert rows[1].startswith(f"embed {MODEL} 1 0 2:00:")
    assert rows[2].startswith(f"mirror {MODEL} 2 1 2:00:")
    assert [row.split(": ")[1] for row in rows[3:]] == ["too long", "[of another] length"]
    assert [
        (kind["kind"], kind["waiting"], kind["leased"], kind["parked"], len(kind["parkedTexts"]))
        for kind in document
    ] == [("embed", 1, 0, 1, 1), ("mirror", 2, 1, 1, 1)]
    assert document[1]["parkedTexts"][0]["fault"] == "[of another] length"
    assert document[1]["oldestAgeSeconds"] >= 7200


async def test_status_says_when_nothing_waits(commands: CommandLine, own_database: URL) -> None:
    shown = run(commands, own_database, "status")

    assert (shown.code, shown.out) == (0, "nothing waits\n")
    assert json.loads(run(commands, own_database, "status", "--json").out) == []


async def test_retry_makes_everything_of_one_kind_due(
    commands: CommandLine, own_database: URL, sql_own: asyncpg.Connection
) -> None:
    await fill(sql_own)

    ended = run(commands, own_database, "retry", "--kind", "mirror")

    assert (ended.code, ended.out) == (0, "1 entry is due now\n")
    parked = await sql_own.fetch("SELECT kind FROM outbox WHERE parked_at IS NOT NULL")
    assert [row["kind"] for row in parked] == ["embed"]
    # Who is at an entry keeps it.
    assert await sql_own.fetchval("SELECT count(*) FROM outbox WHERE leased_until > now()") == 1


async def test_retry_makes_everything_due(
    commands: CommandLine, own_database: URL, sql_own: asyncpg.Connection
) -> None:
    await fill(sql_own)

    ended = run(commands, own_database, "retry")

    assert (ended.code, ended.out) == (0, "3 entries are due now\n")
    late = "SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL OR not_before > now()"
    assert await sql_own.fetchval(late) == 0
