"""What an import tells: rejected lines with their reasons, and how many rows there are now."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Final

import typer
from rich.console import Console

from datastorage.services.import_records import BatchDone, Rejection

REJECTIONS_SHOWN: Final = 20
REASON_CHARS_MAX: Final = 1_000  # a reason names the fields it is about, and those come from the file


def in_file(present: int, rejected: int) -> str:
    """What the bar of a file says: its rows in the database, and its rejected lines if there are any."""
    return f"{present:,} rows" + (f", {rejected:,} rejected" if rejected else "")


class ImportReport:
    """Counts what was imported; tells rejections on the console, and all of them in a file."""

    def __init__(self, console: Console, file: IO[str] | None) -> None:
        self._console, self._file = console, file
        self.stored = self.replayed = self.rejected = 0

    @property
    def present(self) -> int:
        """Rows of the files that are in the database now."""
        return self.stored + self.replayed

    def add(self, source: Path, done: BatchDone) -> None:
        """Counts one batch."""
        self.stored += done.stored
        self.replayed += done.replayed
        for rejection in done.rejected:
            self.reject(source, rejection)

    def reject(self, source: Path, rejection: Rejection) -> None:
        """Tells of one line."""
        self.rejected += 1
        reason = _on_one_line(rejection.reason)
        if self._file is not None:
            self._file.write(f"{source}\t{rejection.line}\t{reason}\n")
        if self.rejected <= REJECTIONS_SHOWN:
            self._say(f"{source}:{rejection.line}: {reason}")
        elif self.rejected == REJECTIONS_SHOWN + 1:
            self._say("further rejected lines are counted only; --rejected FILE keeps them all")

    def summarise(self) -> None:
        """The last word, on standard output."""
        typer.echo(f"stored {self.stored}, already there {self.replayed}, rejected {self.rejected}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _on_one_line(text: str) -> str:
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown if len(shown) <= REASON_CHARS_MAX else shown[:REASON_CHARS_MAX] + "…"
