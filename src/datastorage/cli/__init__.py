"""The command line: one file per command."""

from __future__ import annotations

import typer

from datastorage.cli.delete import delete
from datastorage.cli.demo import demo
from datastorage.cli.doctor import doctor
from datastorage.cli.embeddings import embeddings
from datastorage.cli.export import export
from datastorage.cli.failures import told
from datastorage.cli.import_ import import_
from datastorage.cli.migrate import migrate
from datastorage.cli.schema import schema
from datastorage.cli.serve import serve
from datastorage.cli.settings_ import settings
from datastorage.cli.version import version_option

app = typer.Typer(
    name="datastorage",
    help="Data Storage Service: remembers how incidents were remediated, and finds the ones that resemble "
    "a new one.\n\nSettings come from DATASTORAGE_* variables, .env, or a YAML file; "
    "`datastorage doctor` checks them.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    callback=version_option,
)
app.command()(serve)
app.command()(migrate)
app.command("import")(import_)
app.command()(export)
app.command()(delete)
app.add_typer(embeddings, name="embeddings")
app.command()(demo)
app.command()(schema)
app.command()(doctor)
app.command()(settings)


def main() -> None:
    """Entry point of the console script."""
    with told():
        app()
