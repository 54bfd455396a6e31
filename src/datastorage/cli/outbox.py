"""`datastorage outbox …`: what waits to be embedded or mirrored, and what was given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from datastorage.app import start_logging
from datastorage.cli.parts import opened, run
from datastorage.domain.enums import OutboxKind
from datastorage.services import outbox_state
from datastorage.services.outbox_state import Given
from datastorage.settings import Settings, load_settings

outbox = typer.Typer(
    help="Look after what waits to be embedded or mirrored, and what was given up.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@outbox.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for programs.")] = False,
) -> None:
    """Show what waits to be embedded (`embed`) or handed to the vector engine (`mirror`), since when, how much of it
    somebody is at, and what is given up, with the reason.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings()
    start_logging(settings)
    found = run(_state(settings))
    if as_json:
        typer.echo(orjson.dumps([_document(given) for given in found], option=orjson.OPT_INDENT_2))
    else:
        _show(found)


@outbox.command()
def retry(
    kind: Annotated[
        OutboxKind | None, typer.Option("--kind", help="Only what waits for this; without it, everything.")
    ] = None,
) -> None:
    """Have everything that waits tried at once, also what was given up. The service does the work."""
    settings = load_settings()
    start_logging(settings)
    changed = run(_retry(settings, list(OutboxKind) if kind is None else [kind]))
    typer.echo(f"{changed:,} {'entry is' if changed == 1 else 'entries are'} due now")


async def _state(settings: Settings) -> list[Given]:
    async with opened(settings) as deps:
        return await outbox_state.outbox_state(deps)


async def _retry(settings: Settings, kinds: list[OutboxKind]) -> int:
    async with opened(settings) as deps:
        return await outbox_state.retry(deps, kinds)


def _document(given: Given) -> dict[str, Any]:
    backlog = given.backlog
    return {
        "kind": backlog.kind,
        "model": backlog.model,
        "waiting": backlog.waiting,
        "leased": backlog.leased,
        "oldestAgeSeconds": round(backlog.oldest_age_s, 1),
        "parked": backlog.parked,
        "parkedTexts": [
            {
                "contentHash": parked.content_hash.hex(),
                "remediationRequestId": parked.request_id,
                "attempts": parked.attempts,
                "fault": parked.fault,
            }
            for parked in given.parked
        ],
    }


def _show(found: list[Given]) -> None:
    if not found:
        typer.echo("nothing waits")
        return
    console = Console()
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "model", "waiting", "leased", "oldest", "parked"):
        table.add_column(heading, overflow="fold")
    for given in found:
        table.add_row(*_row(given))
    console.print(table, markup=False)
    for given in found:
        for parked in given.parked:
            text = parked.request_id or parked.content_hash.hex()
            console.print(f"  {given.backlog.kind} {text}: {parked.fault}", markup=False)


def _row(given: Given) -> tuple[str, ...]:
    backlog = given.backlog
    oldest = str(timedelta(seconds=int(backlog.oldest_age_s))) if backlog.waiting else ""
    return (
        backlog.kind,
        backlog.model,
        f"{backlog.waiting:,}",
        f"{backlog.leased:,}",
        oldest,
        f"{backlog.parked:,}",
    )
