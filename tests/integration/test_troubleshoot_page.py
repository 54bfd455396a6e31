"""docs/troubleshoot.md quotes what the service says, and its queries run."""

import ast
import re
from pathlib import Path

import asyncpg
import pytest

from support.quoted import blocks

ROOT = Path(__file__).parents[2]
PAGE = "troubleshoot.md"
SOURCES = [file for file in (ROOT / "src" / "datastorage").rglob("*.py") if "client" not in file.parts]
SAID = {
    node.value
    for file in SOURCES
    for node in ast.walk(ast.parse(file.read_text()))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
}
LINES = [line for block in blocks(PAGE, "text") for line in block.splitlines()]
EVENTS = [line.removeprefix("log: ") for line in LINES if line.startswith("log: ")]
MESSAGES = [re.sub(r"^(\d{3} )?[A-Z_]+: ", "", line) for line in LINES if not line.startswith("log: ")]
TEXT = (ROOT / "docs" / PAGE).read_text()


def is_said(message: str) -> bool:
    """Whether each part between what differs is in something that the code says."""
    parts = [part for part in message.split("…") if len(part.strip(" ();:.,")) > 1]
    return bool(parts) and all(any(part in said for said in SAID) for part in parts)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_of_the_services(message: str) -> None:
    assert is_said(message)


def test_a_message_of_nobodys_would_be_noticed() -> None:
    assert not is_said("the database is on holiday; try again")
    assert not is_said("…")


@pytest.mark.parametrize("event", sorted({*EVENTS, *re.findall(r"\blog `(\w+)`", TEXT, re.IGNORECASE)}))
def test_an_event_is_logged(event: str) -> None:
    logged = {
        node.args[0].value
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("debug", "info", "warning", "error", "exception")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert event in logged


@pytest.mark.parametrize("query", blocks(PAGE, "sql"))
async def test_a_query_runs(query: str, sql: asyncpg.Connection) -> None:
    await sql.fetch(query)


def test_metrics_are_there() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text()  # which a test holds against the code

    named = set(re.findall(r"`(datastorage_\w+)", TEXT))
    assert named
    assert [name for name in named if f"| `{name}` |" not in operations] == []
