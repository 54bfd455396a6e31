"""`datastorage demo`: loads made-up remediations, so that a newcomer sees something; takes them away again."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer
from rich.console import Console

from datastorage.app import start_logging
from datastorage.cli.asking import confirm, refuse_unasked
from datastorage.cli.demo_storing import Loaded, load_demo, remove_demo
from datastorage.cli.parts import opened, run
from datastorage.cli.tallies import counting, in_words
from datastorage.services.delete_remediations import Counts
from datastorage.settings import Settings, load_settings

COUNT_DEFAULT: Final = 300
COUNT_MAX: Final = 100_000  # what the service levels are stated for
SEED_DEFAULT: Final = 1

QUERY: Final = """\
{
  similarIncidents(text: "checkout pod restarts, exit code 137, memory limit reached", first: 5) {
    hits {
      similarity
      incident { clusterName targetResource actionType status errorMessage resolution }
    }
  }
}"""

TRY_THIS: Final = """
While the service runs (datastorage serve), open {url} and ask:

{query}

or, from the command line:

curl -s {url} -H 'content-type: application/json' -d '{body}'

datastorage demo --remove takes the demo data away again."""


def demo(
    count: Annotated[
        int, typer.Option(help="How many remediations to load.", min=1, max=COUNT_MAX)
    ] = COUNT_DEFAULT,
    seed: Annotated[int, typer.Option(help="Another number makes other incidents.", min=0)] = SEED_DEFAULT,
    remove: Annotated[bool, typer.Option("--remove", help="Delete the demo data, of every seed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --remove: do not ask.")] = False,
) -> None:
    """Load made-up but realistic remediations of the last 60 days, to look around in; most of them with their
    AI analyses, workflow and executions.

    They are marked: the request ids start with `demo-`, the metadata say `"demo": true`.
    Safe to run again: what is there already stays as it is, and a larger --count adds to it.

    Works beside the running service, and without it.
    """  # noqa: D205 -- typer shows this text as it stands
    if remove:
        refuse_unasked(yes, "deletes")
    settings = load_settings()
    start_logging(settings)
    if not remove:
        _tell(run(_load(settings, count, seed)), settings)
        return
    confirm(yes, "Delete everything that `datastorage demo` has loaded?")
    typer.echo(f"removed {in_words(run(_remove(settings)))}")


async def _load(settings: Settings, count: int, seed: int) -> Loaded:
    async with opened(settings) as deps:
        with counting(Console(stderr=True)) as progress:
            task = progress.add_task("demo remediations", total=count)
            return await load_demo(deps, count, seed, lambda rows: progress.advance(task, rows))


async def _remove(settings: Settings) -> Counts:
    async with opened(settings) as deps:
        return await remove_demo(deps)


def _tell(loaded: Loaded, settings: Settings) -> None:
    if any(loaded.stored.values()):
        typer.echo(f"Loaded, all made up: {in_words(loaded.stored)}.")
        if any(loaded.already_there.values()):
            typer.echo(f"There already: {in_words(loaded.already_there)}.")
    else:
        typer.echo("The demo data are there already; nothing was changed.")
    if any(loaded.differing.values()):
        typer.echo(
            f"There with other content, from another release: {in_words(loaded.differing)}; "
            "for fresh ones: datastorage demo --remove, then datastorage demo"
        )
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    body = json.dumps({"query": " ".join(QUERY.split())})
    typer.echo(TRY_THIS.format(url=f"http://{host}:{settings.http_port}/graphql", query=QUERY, body=body))
