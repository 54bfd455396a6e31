"""`datastorage embeddings status`: which texts have their vector, of which models there are vectors and indexes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from datastorage.app import start_logging
from datastorage.cli.parts import opened, run
from datastorage.services.embedding_models import ModelStanding, Standing, standing
from datastorage.settings import Settings, load_settings


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Show which texts have the vector of the configured model, which wait for it, and which it refuses;
    and how many vectors of each model are stored, with what index.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings()
    start_logging(settings)
    found = run(_standing(settings))
    if as_json:
        typer.echo(orjson.dumps(_document(found), option=orjson.OPT_INDENT_2))
    else:
        _show(found)


async def _standing(settings: Settings) -> Standing:
    async with opened(settings) as deps:
        return await standing(deps)


def _document(found: Standing) -> dict[str, Any]:
    return {
        "model": found.model or None,
        "texts": found.coverage.texts,
        "textsWithVector": found.coverage.with_vector,
        "waiting": found.waiting.waiting,
        "beingEmbedded": found.waiting.leased,
        "parked": found.waiting.parked,
        "parkedTexts": [
            {
                "contentHash": parked.content_hash.hex(),
                "remediationRequestId": parked.request_id,
                "attempts": parked.attempts,
                "fault": parked.fault,
            }
            for parked in found.parked
        ],
        "models": [
            {
                "model": model.model,
                "vectors": model.vectors,
                "dimensions": list(model.dimensions),
                "index": None if model.index is None else asdict(model.index),
            }
            for model in found.models
        ],
    }


def _show(found: Standing) -> None:
    covered, waiting = found.coverage, found.waiting
    typer.echo(f"model    {found.model or 'none (embeddings are off)'}")
    typer.echo(f"texts    {covered.texts:,}, {covered.with_vector:,} of them with a vector of this model")
    typer.echo(f"waiting  {waiting.waiting:,}, {waiting.leased:,} of them being embedded")
    typer.echo(f"parked   {waiting.parked:,}" + (", which the provider refused:" if waiting.parked else ""))
    console = Console()
    for parked in found.parked:
        console.print(f"  {parked.request_id or parked.content_hash.hex()}: {parked.fault}", markup=False)
    if not found.models:
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("model", "vectors", "dimensions", "index", "MiB"):
        table.add_column(heading, overflow="fold")
    for model in found.models:
        table.add_row(*_row(model))
    console.print(table, markup=False)


def _row(model: ModelStanding) -> tuple[str, ...]:
    dimensions = ", ".join(map(str, model.dimensions))
    if model.index is None:
        return model.model, f"{model.vectors:,}", dimensions, "none: searches compare every vector", ""
    name = model.index.name if model.index.valid else f"{model.index.name} (not valid)"
    return model.model, f"{model.vectors:,}", dimensions, name, f"{model.index.bytes / 2**20:,.1f}"
