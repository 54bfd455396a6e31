"""The command line: one file per command."""

from __future__ import annotations

from typing import Final

import typer

from datastorage.cli.failures import told
from datastorage.cli.on_demand import OnDemand, group_of, stand_in
from datastorage.cli.version import version_option

COMMANDS: Final = {
    "serve": OnDemand("datastorage.cli.serve:serve", "Start the service."),
    "migrate": OnDemand("datastorage.cli.migrate:migrate", "Bring the database schema up to date."),
    "import": OnDemand("datastorage.cli.import_:import_", "Import records from JSONL."),
    "export": OnDemand("datastorage.cli.export:export", "Export records as JSONL."),
    "delete": OnDemand("datastorage.cli.delete:delete", "Delete remediations with all around them."),
    "embeddings": OnDemand(
        "datastorage.cli.embeddings:embeddings",
        "Look after the vectors of stored texts: how they stand, what is missing, a change of the model.",
    ),
    "outbox": OnDemand(
        "datastorage.cli.outbox:outbox",
        "Look after what waits to be embedded or mirrored, and what was given up.",
    ),
    "vectors": OnDemand(
        "datastorage.cli.vectors:vectors",
        "Look after the vector engine beside PostgreSQL: whether both hold the same vectors.",
    ),
    "keys": OnDemand(
        "datastorage.cli.keys:keys",
        "Look after API keys: make, list, rotate and revoke them.",
    ),
    "demo": OnDemand(
        "datastorage.cli.demo:demo",
        "Load made-up but realistic remediations of the last 60 days, to look around in.",
    ),
    "schema": OnDemand("datastorage.cli.schema:schema", "Print the GraphQL schema (SDL)."),
    "doctor": OnDemand(
        "datastorage.cli.doctor:doctor",
        "Check settings, embedding, cache, vector engine, database and index; say how to mend what is wrong.",
    ),
    "settings": OnDemand(
        "datastorage.cli.settings_:settings",
        "Show every setting: its variable, its value as this process reads it, and what it does.",
    ),
}

app = typer.Typer(
    cls=group_of(COMMANDS),
    name="datastorage",
    help="Data Storage Service: remembers how incidents were remediated, and finds the ones that resemble "
    "a new one.\n\nSettings come from DATASTORAGE_* variables, .env, or a YAML file; "
    "`datastorage doctor` checks them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    callback=version_option,
)
for name, command in COMMANDS.items():
    app.command(name, help=command.summary)(stand_in)


def main() -> None:
    """Entry point of the console script."""
    with told():
        app()
