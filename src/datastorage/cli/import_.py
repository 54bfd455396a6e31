"""`datastorage import`: records of all kinds from JSONL files."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from datastorage.app import start_logging
from datastorage.cli.import_report import ImportReport, in_file
from datastorage.cli.json_lines import JsonLines
from datastorage.cli.parts import opened, run
from datastorage.domain.caller import OPERATOR
from datastorage.errors import OperatorError
from datastorage.services.dependencies import Dependencies
from datastorage.services.import_records import Rejection, import_records
from datastorage.settings import Settings, load_settings


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="JSONL files, plain or .gz.", exists=True, dir_okay=False, readable=True),
    ],
    rejected: Annotated[
        Path | None,
        typer.Option(help="Write every rejected line's file, number and reason to this file, tab separated."),
    ] = None,
) -> None:
    """Import records from JSONL: one JSON object a line, with the fields of the GraphQL create input of its
    kind, and "record" to name the kind: remediationAudit (the default), aiAnalysisAudit, workflowAudit or
    executionAudit. A file may mix kinds in any order; `datastorage export` writes such files.

    Runs beside the service, in constant memory. Running it again changes nothing, so a broken import is
    simply repeated. Exit code 1 if any line was rejected.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings()
    start_logging(settings)
    console = Console(stderr=True)
    with ExitStack() as stack:
        report = ImportReport(console, _opened_report(stack, rejected))
        stack.callback(report.summarise)  # also of what was stored before it broke off
        run(_import_files(settings, files, report, console))
    raise typer.Exit(1 if report.rejected else 0)


async def _import_files(
    settings: Settings, files: list[Path], report: ImportReport, console: Console
) -> None:
    async with opened(settings) as deps:
        with _progress(console) as progress:
            for file in files:
                await _import_file(deps, file, report, progress)


async def _import_file(deps: Dependencies, file: Path, report: ImportReport, progress: Progress) -> None:
    present, rejected = report.present, report.rejected  # by the files before this one

    def tally() -> str:
        return in_file(report.present - present, report.rejected - rejected)

    with JsonLines(file) as lines:
        task = progress.add_task(file.name, total=lines.size_bytes, tally=tally())
        async for done in import_records(deps, OPERATOR, lines):
            report.add(file, done)
            progress.update(task, completed=lines.bytes_read, tally=tally())
        if lines.damage:
            report.reject(file, Rejection(lines.number, lines.damage))
        progress.update(task, completed=lines.size_bytes or 0, tally=tally())


def _opened_report(stack: ExitStack, path: Path | None) -> IO[str] | None:
    if path is None:
        return None
    try:
        return stack.enter_context(path.open("w", buffering=1, encoding="utf-8"))
    except OSError as error:
        raise OperatorError(f"cannot write the rejected lines to {path} ({error.strerror})") from None


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[tally]}"),
        TimeRemainingColumn(),
        console=console,
    )
