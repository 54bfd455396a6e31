"""`datastorage embeddings …`: looking after the vectors of stored texts; one file per command."""

from __future__ import annotations

import typer

from datastorage.cli.embeddings.backfill import backfill
from datastorage.cli.embeddings.drop import drop
from datastorage.cli.embeddings.reembed import reembed
from datastorage.cli.embeddings.status import status
from datastorage.cli.embeddings.verify import verify

embeddings = typer.Typer(
    help="Look after the vectors of stored texts: how they stand, what is missing, a change of the model.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
embeddings.command()(status)
embeddings.command()(backfill)
embeddings.command()(reembed)
embeddings.command()(drop)
embeddings.command()(verify)
