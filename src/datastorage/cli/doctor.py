"""`datastorage doctor`: checks settings and all that the service stands on, and says how to mend what is wrong."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import URL

from datastorage.app import expected, start_logging
from datastorage.cli.embedding_findings import embedding_findings
from datastorage.cli.engine_findings import engine_findings
from datastorage.cli.parts import run
from datastorage.db import migrations
from datastorage.db.findings import Finding
from datastorage.db.location import located
from datastorage.db.startup_checks import check_database
from datastorage.errors import OperatorError
from datastorage.settings import Settings, load_settings, unknown_variables


def doctor() -> None:
    """Check settings, embedding, cache, vector engine, database and index; say how to mend what is wrong.

    Exit code 1 if the service could not run as things are.
    """
    settings = load_settings()
    start_logging(settings)
    findings = [*_settings(), *run(embedding_findings(settings)), *run(engine_findings(settings))]
    try:
        with located(settings) as url:
            findings += run(_database(url, settings))
    except OperatorError as error:
        findings.append(Finding("database", str(error), "see the message", fatal=True))
    _show(findings)
    raise typer.Exit(1 if any(finding.fatal for finding in findings) else 0)


def _settings() -> list[Finding]:
    unknown = [Finding("settings", fault, "rename or remove it") for fault in unknown_variables()]
    return unknown or [Finding("settings", "all readable")]


async def _database(url: URL, settings: Settings) -> list[Finding]:
    findings = await check_database(url, expected(settings))
    if any(finding.fatal for finding in findings):
        return findings
    state = await migrations.read_state(url)
    embedded = not settings.has_database  # brings its schema up to date by itself
    if state.good or embedded:
        return [
            *findings,
            Finding("schema", state.describe() if state.good else "is made at the first start"),
        ]
    return [*findings, Finding("schema", state.describe(), "run: datastorage migrate", fatal=True)]


def _show(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "check", "found", "mend"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        mark = "[green]✓[/]" if finding.good else "[red]✗[/]" if finding.fatal else "[yellow]![/]"
        table.add_row(mark, finding.check, finding.detail, finding.mend)
    Console().print(table)
