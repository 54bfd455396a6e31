"""`datastorage schema`: the GraphQL schema as SDL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of standard output.")
    ] = None,
) -> None:
    """Print the GraphQL schema (SDL), with every description."""
    from datastorage.graphql.schema import build_schema  # noqa: PLC0415 -- other commands start faster

    sdl = build_schema().as_str().strip() + "\n"
    if output is None:
        typer.echo(sdl, nl=False)
    else:
        output.write_text(sdl, encoding="utf-8")
