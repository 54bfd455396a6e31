"""`datastorage embeddings drop`: puts away the vectors of a model that is out of use."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from datastorage.app import start_logging
from datastorage.cli.asking import confirm, refuse_unasked
from datastorage.cli.parts import opened, run
from datastorage.cli.tallies import counting
from datastorage.errors import OperatorError
from datastorage.services.embedding_models import Standing, drop_model, standing
from datastorage.settings import Settings, load_settings


def drop(
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="As `datastorage embeddings status` names it.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete all vectors of a model, its index and what waits for it. The configured model is refused.

    A service that still runs with the model would go on without its vectors. A drop that broke off is simply
    repeated.
    """
    settings = load_settings()
    start_logging(settings)
    vectors = _vectors(run(_standing(settings)), model)
    refuse_unasked(yes, "drops")
    typer.echo(f"to drop: {vectors:,} vectors of {model}")
    confirm(yes, "Delete them for good?")
    typer.echo(f"dropped {run(_drop(settings, model, vectors)):,} vectors")


def _vectors(found: Standing, model: str) -> int:
    counts = {stored.model: stored.vectors for stored in found.models}
    if model == found.model:
        raise OperatorError(f"{model} is the configured model; configure another one first")
    if model not in counts:
        known = ", ".join(name for name in counts if name != found.model) or "none"
        raise OperatorError(
            f"no vectors of {model!r} are stored; other models than the configured one: {known}"
        )
    return counts[model]


async def _standing(settings: Settings) -> Standing:
    async with opened(settings) as deps:
        return await standing(deps)


async def _drop(settings: Settings, model: str, vectors: int) -> int:
    async with opened(settings) as deps:
        with counting(Console(stderr=True)) as progress:
            task = progress.add_task("vectors", total=vectors)
            return await drop_model(deps, model, lambda removed: progress.advance(task, removed))
