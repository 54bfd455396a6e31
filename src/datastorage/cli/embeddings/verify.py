"""`datastorage embeddings verify`: whether stored vectors and indexes are what they should be."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from datastorage.app import start_logging
from datastorage.cli.embeddings.opening import patiently_opened
from datastorage.cli.parts import run
from datastorage.limits import VECTOR_SAMPLE_ROWS
from datastorage.services.embedding_verification import Checked
from datastorage.services.embedding_verification import verify as verify_embeddings
from datastorage.settings import Settings, load_settings


def verify(
    sample: Annotated[
        int,
        typer.Option("--sample", min=1, metavar="N", help="So many texts, at random, are embedded again."),
    ] = VECTOR_SAMPLE_ROWS,
) -> None:
    """Check stored vectors: their dimension and length, the indexes over them and what these find, and, for a
    sample, that the configured model still gives the same.

    Exit code 1 if something is wrong.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings()
    start_logging(settings)
    found = run(_verify(settings, sample))
    table = Table(box=None, pad_edge=False)
    for heading in ("", "check", "found", "wrong"):
        table.add_column(heading, overflow="fold")
    for checked in found:
        table.add_row(
            "[red]✗[/]" if checked.fault else "[green]✓[/]", checked.check, checked.detail, checked.fault
        )
    Console().print(table)
    raise typer.Exit(1 if any(checked.fault for checked in found) else 0)


async def _verify(settings: Settings, sample: int) -> list[Checked]:
    async with patiently_opened(settings) as deps:
        return await verify_embeddings(deps, sample)
