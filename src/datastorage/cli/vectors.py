"""`datastorage vectors …`: whether the vector engine holds what PostgreSQL does."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from datastorage.app import start_logging
from datastorage.cli.parts import opened, run
from datastorage.cli.tallies import counting
from datastorage.services.vector_reconciliation import Differences, Reconciled, stored_vectors
from datastorage.services.vector_reconciliation import reconcile as reconcile_vectors
from datastorage.settings import Settings, load_settings

vectors = typer.Typer(
    help="Look after the vector engine beside PostgreSQL: whether both hold the same vectors.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@vectors.callback()
def _group() -> None:
    """Keeps `reconcile` a command of its own: typer would take the only one for the group."""


@vectors.command()
def reconcile(
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Compare only, and change nothing but to make a missing collection."),
    ] = False,
) -> None:
    """Compare every vector in PostgreSQL with the vector engine, and make the engine agree: what it lacks is
    added, what PostgreSQL does not have is removed, what differs is replaced. Runs beside the service, and can be
    broken off and repeated.

    Exit code 1 unless both hold the same at the end.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings()
    start_logging(settings)
    done = run(_reconcile(settings, repair=not dry_run))
    typer.echo(f"compared   {done.found.compared:,} texts")
    typer.echo(f"found      {_told(done.found)}")
    if not dry_run and done.found.hashes:
        typer.echo(f"left       {_told(done.left)}")
    typer.echo("both hold the same vectors" if done.agree else "they do not hold the same vectors")
    raise typer.Exit(0 if done.agree else 1)


async def _reconcile(settings: Settings, *, repair: bool) -> Reconciled:
    async with opened(settings) as deps:
        with counting(Console(stderr=True)) as progress:
            task = progress.add_task("texts", total=await stored_vectors(deps))
            return await reconcile_vectors(
                deps, repair=repair, progress=lambda compared: progress.update(task, completed=compared)
            )


def _told(found: Differences) -> str:
    return (
        f"{len(found.missing):,} missing in the engine, {len(found.surplus):,} surplus there, "
        f"{len(found.differing):,} different"
    )
