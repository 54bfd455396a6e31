"""`datastorage embeddings reembed`: everything for another model, while the service goes on with the one it has."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from datastorage.app import start_logging
from datastorage.cli.embeddings.backfill import told, with_bar
from datastorage.cli.embeddings.opening import patiently_opened
from datastorage.cli.parts import run
from datastorage.cli.settings_ import shown, variable
from datastorage.errors import OperatorError
from datastorage.limits import INDEX_RECALL_MIN
from datastorage.services.embedding_models import build_index, index_recall
from datastorage.settings import ProviderKind, Settings, load_settings

TOLD = ("embedding_provider", "embedding_model", "embedding_url", "embedding_dimensions")


def reembed(
    provider: Annotated[
        ProviderKind | None, typer.Option("--provider", help="As DATASTORAGE_EMBEDDING_PROVIDER.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="As DATASTORAGE_EMBEDDING_MODEL.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="As DATASTORAGE_EMBEDDING_URL.")
    ] = None,
    dimensions: Annotated[
        int | None, typer.Option("--dimensions", metavar="N", help="As DATASTORAGE_EMBEDDING_DIMENSIONS.")
    ] = None,
) -> None:
    """Embed all texts with another model, beside the vectors there are, and build its index. Without options the
    model is the one that the settings name.

    The service goes on with its own model meanwhile; start it with the new settings afterwards. Can be broken
    off and repeated: what is done is not done again.

    Exit code 1 if texts are left without a vector, or if the index finds less than 95 % of what comparing every
    vector finds.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings(
        embedding_provider=provider,
        embedding_model=model,
        embedding_url=url,
        embedding_dimensions=dimensions,
    )
    start_logging(settings)
    run(_reembed(settings))
    typer.echo("ready; start the service with these settings, then drop the old model:")
    for name in TOLD:
        if (value := shown(getattr(settings, name))) and _matters(settings, name):
            typer.echo(f"  {variable(name)}={value}")


async def _reembed(settings: Settings) -> None:
    """Errors: OperatorError when it is not ready to be used."""
    async with patiently_opened(settings) as deps:
        name = deps.embedder.model
        typer.echo(f"model    {name}")
        await with_bar(deps)
        with Console(stderr=True).status("building the index"):
            built = await build_index(deps)
        left = await with_bar(deps)  # what was written meanwhile
        typer.echo(f"index    {'built' if built else 'was there'}")
        recall = await index_recall(deps, name)
        typer.echo("recall   " + ("no vectors" if recall is None else f"{recall:.3f} of the ten nearest"))
        if left.waiting or left.parked:
            typer.echo(f"left     {told(left)}")
        if left.waiting:
            raise OperatorError(f"not all texts have their vector of {name}; run this again")
        if recall is not None and recall < INDEX_RECALL_MIN:
            raise OperatorError(
                f"the index of {name} finds less than {INDEX_RECALL_MIN:.0%}; do not switch to it"
            )


def _matters(settings: Settings, name: str) -> bool:
    """Whether a setting is one of the provider's."""
    match settings.embedding_provider:
        case ProviderKind.OPENAI:
            return True
        case ProviderKind.ONNX:
            return name in TOLD[:2]
        case _:
            return name == TOLD[0]
