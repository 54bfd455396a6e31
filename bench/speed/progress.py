"""What is going on, as bars."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench.speed.results import Measurement


class Shown:
    """Bars on standard error: one for each part of loading, one for the measurements."""

    def __init__(self) -> None:
        columns = TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._bars = Progress(*columns, console=Console(stderr=True))
        self._parts: dict[str, TaskID] = {}
        self._measurements: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def part(self, what: str, done: int, of: int) -> None:
        """So much of a part is done."""
        if what not in self._parts:
            self._parts[what] = self._bars.add_task(what, total=of)
        self._bars.update(self._parts[what], completed=done, total=of)

    def expect(self, measurements: int) -> None:
        """So many measurements are to come."""
        self._measurements = self._bars.add_task("measurements", total=measurements)

    def step(self, what: str, measurement: Measurement | None) -> None:
        """What is being measured, or has been."""
        if self._measurements is not None:
            self._bars.update(self._measurements, description=what, advance=int(measurement is not None))
        if measurement is not None:
            told = measurement.fault or f"{measurement.per_s:,.0f}/s, p95 {measurement.p95_ms:.1f} ms"
            self._bars.console.print(f"  {what}: {told}", highlight=False, markup=False)
