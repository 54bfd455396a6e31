"""`datastorage embeddings backfill`: embeds at once what otherwise waits for the service."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from datastorage.app import start_logging
from datastorage.cli.embeddings.opening import patiently_opened
from datastorage.cli.parts import run
from datastorage.cli.tallies import counting
from datastorage.repositories.outbox import Waiting
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedding_backfill import Backfill
from datastorage.services.embedding_models import work_off
from datastorage.settings import Settings, load_settings


def backfill(
    parked: Annotated[
        bool, typer.Option("--parked", help="Try again also what the provider has refused.")
    ] = False,
) -> None:
    """Embed now all texts that have no vector of the configured model. The service does so by itself; this
    does not wait for its next attempt. Runs beside it, and can be broken off and repeated.

    Exit code 1 if texts are left without a vector.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings()
    start_logging(settings)
    left = run(_backfill(settings, parked=parked))
    typer.echo(told(left))
    raise typer.Exit(1 if left.waiting or left.parked else 0)


def told(left: Waiting) -> str:
    """What is left, as a sentence."""
    if not left.waiting and not left.parked:
        return "every text has its vector"
    return f"{left.waiting:,} texts still wait, {left.parked:,} are refused by the provider"


async def _backfill(settings: Settings, *, parked: bool) -> Waiting:
    async with patiently_opened(settings) as deps:
        return await with_bar(deps, parked=parked)


async def with_bar(deps: Dependencies, *, parked: bool = False) -> Waiting:
    """Finds all texts without a vector and embeds them, showing how far it is; returns what is left."""
    work = Backfill(deps)
    await work.find()
    await work.hurry(parked=parked)
    with counting(Console(stderr=True)) as progress:
        task = progress.add_task("texts", total=(await work.waiting()).waiting)
        return await work_off(deps, work, lambda settled: progress.advance(task, settled))
