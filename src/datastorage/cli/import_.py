"""`datastorage import`: remediation audits from JSONL files."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from datastorage.app import start_logging
from datastorage.cli.parts import opened, run
from datastorage.domain.caller import OPERATOR
from datastorage.services.import_remediations import BatchDone, Line, import_remediations
from datastorage.settings import Settings, load_settings

LINE_BYTES_MAX = 1024 * 1024  # the largest valid record is about 200 KiB of JSON
REJECTIONS_SHOWN = 20

console = Console(stderr=True)


class Totals:
    """What was imported so far."""

    def __init__(self) -> None:
        self.stored = self.replayed = self.rejected = 0

    def add(self, done: BatchDone) -> None:
        """Counts one batch."""
        self.stored += done.stored
        self.replayed += done.replayed
        self.rejected += len(done.rejected)


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
    """Import remediation audits from JSONL: one JSON object a line, with the fields of the GraphQL create
    input, and optionally "record": "remediationAudit".

    Runs beside the service, in constant memory. Running it again changes nothing, so a broken import is
    simply repeated. Exit code 1 if any line was rejected.
    """  # noqa: D205 -- typer shows this text as it stands
    settings = load_settings()
    start_logging(settings)
    report = rejected.open("w", encoding="utf-8") if rejected else None
    try:
        totals = run(_import_files(settings, files, report))
    finally:
        if report:
            report.close()
    typer.echo(f"stored {totals.stored}, already there {totals.replayed}, rejected {totals.rejected}")
    raise typer.Exit(1 if totals.rejected else 0)


async def _import_files(settings: Settings, files: list[Path], report: IO[str] | None) -> Totals:
    totals = Totals()
    async with opened(settings) as deps:
        with _progress() as progress:
            for file in files:
                task = progress.add_task(file.name, total=file.stat().st_size, rows=0)
                with _Reader(file) as reader:
                    async for done in import_remediations(deps, OPERATOR, reader.lines()):
                        totals.add(done)
                        _tell(file, done, totals, report)
                        progress.update(
                            task, completed=reader.bytes_read, rows=totals.stored + totals.replayed
                        )
                progress.update(task, completed=file.stat().st_size)
    return totals


def _tell(file: Path, done: BatchDone, totals: Totals, report: IO[str] | None) -> None:
    for rejection in done.rejected:
        if report:
            report.write(f"{file}\t{rejection.line}\t{rejection.reason}\n")
    shown_before = totals.rejected - len(done.rejected)
    for number, rejection in enumerate(done.rejected, shown_before + 1):
        if number <= REJECTIONS_SHOWN:
            console.print(f"{file}:{rejection.line}: {rejection.reason}", markup=False, highlight=False)
        elif number == REJECTIONS_SHOWN + 1:
            console.print("further rejected lines are counted only; --rejected FILE keeps them all")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
        console=console,
    )


class _Reader(AbstractContextManager["_Reader"]):
    """Lines of a file, and how many of its bytes have been read."""

    def __init__(self, file: Path) -> None:
        self._raw = file.open("rb")
        packed = file.suffix == ".gz"
        self._lines: io.BufferedIOBase = gzip.GzipFile(fileobj=self._raw) if packed else self._raw

    @property
    def bytes_read(self) -> int:
        """Position in the file as it lies on disk."""
        return self._raw.tell()

    def lines(self) -> Iterator[Line]:
        """Numbered from 1. A line that is too long is handed on cut, and rejected as no JSON."""
        number = 0
        while line := self._lines.readline(LINE_BYTES_MAX):
            number += 1
            while not line.endswith(b"\n") and len(line) == LINE_BYTES_MAX:
                rest = self._lines.readline(LINE_BYTES_MAX)
                if rest.endswith(b"\n") or not rest:
                    break
            yield Line(number, line)

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._raw.close()
