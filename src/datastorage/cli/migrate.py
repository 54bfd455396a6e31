"""`datastorage migrate`: brings the schema up to date, or checks it."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.engine import URL

from datastorage.app import expected, start_logging
from datastorage.cli.parts import run
from datastorage.db import migrations
from datastorage.db.drift import drift
from datastorage.db.location import located
from datastorage.db.pooler import refuse_pooler
from datastorage.db.startup_checks import check_database, refuse_fatal
from datastorage.models import metadata
from datastorage.settings import load_settings


def migrate(
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit 1 if migrations are pending or tables drifted."),
    ] = False,
) -> None:
    """Bring the database schema up to date.

    Safe to run at any time: with the service running, twice at once, and again after a break.
    """
    settings = load_settings()
    start_logging(settings)
    with located(settings) as url:
        if check:
            raise typer.Exit(0 if run(_checked(url)) else 1)
        refuse_pooler(settings.database_pooler, "datastorage migrate")
        refuse_fatal(run(check_database(url, expected(settings))))
        run(migrations.upgrade(url, on_step=lambda step: typer.echo(f"applied {step}")))
        typer.echo("the schema is up to date")


async def _checked(url: URL) -> bool:
    state = await migrations.read_state(url)
    typer.echo(f"schema: {state.describe()}")
    if not state.good:
        return False
    differences = await drift(url, metadata)
    for difference in differences:
        typer.echo(f"drift: {difference}")
    return not differences
