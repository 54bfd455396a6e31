"""Options, progress, and what is printed in the end."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Final, Self

import structlog
import typer
from bench.speed import tables
from bench.speed.about import about
from bench.speed.data.originals import Making
from bench.speed.database import loaded
from bench.speed.measuring import Plan, measure
from bench.speed.names import PEERS
from bench.speed.questions import BY_NAME, QUESTIONS
from bench.speed.results import Measurement, Results
from bench.speed.sample import Sample
from bench.speed.targets import judged
from bench.speed.wrk import RunFailed
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = ROOT / "bench" / "results"
ROWS: Final = 100_000
WIDTH: Final = 120  # of tables in a file

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console(stderr=True)


@app.callback()
def speed() -> None:
    """Measure how fast the service is."""


class Shown:
    """Progress, as a bar for each part of the work."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description:50}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def part(self, what: str, done: int, of: int) -> None:
        """So much of a part is done."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=of)
        self._bars.update(self._tasks[what], completed=done, total=of)

    def measured(self, of: int, what: str, measurement: Measurement | None) -> None:
        """What is being measured, or has been."""
        self.part("measurements", 0, of) if "measurements" not in self._tasks else None
        task = self._tasks["measurements"]
        self._bars.update(task, description=what, advance=int(measurement is not None))
        if measurement is not None:
            told = measurement.fault or f"{measurement.per_s:,.0f}/s, p95 {measurement.p95_ms:.1f} ms"
            self._bars.console.print(f"  {what}: {told}", highlight=False)


@app.command()
def run(
    rows: Annotated[int, typer.Option(help="Remediations in the database.", min=100)] = ROWS,
    seconds: Annotated[int, typer.Option(help="Of each measurement.", min=1)] = 10,
    rounds: Annotated[int, typer.Option(help="Of which the median counts.", min=1)] = 5,
    questions: Annotated[str, typer.Option(help=f"Some of {', '.join(BY_NAME)}; comma-separated.")] = "",
    peers: Annotated[str, typer.Option(help=f"Some of {', '.join(PEERS)}; the first letters will do.")] = "",
    connections: Annotated[int | None, typer.Option(help="Instead of those of each question.", min=1)] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="One round of 2 s, to see whether it works.")
    ] = False,
    reports: Annotated[
        Path | None, typer.Option(help="JSONL with `title` and `text`: real reports instead of made-up ones.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Keep what was loaded in this folder, and start from it the next time."),
    ] = None,
    output: Annotated[Path, typer.Option(help="Where the results go, as JSON.")] = RESULTS / "latest.json",
) -> None:
    """Measure the service beside its peers: one PostgreSQL, one data set, the same questions, in turn."""
    plan = Plan(
        questions=[BY_NAME[name] for name in questions.split(",")] if questions else QUESTIONS,
        peers=[
            name for name in PEERS if not peers or name.lower().startswith(tuple(peers.lower().split(",")))
        ],
        rows=rows,
        seconds=2 if quick else seconds,
        rounds=1 if quick else rounds,
        connections=connections,
    )
    _quiet()
    making = Making(reports=reports)
    with (
        tempfile.TemporaryDirectory(prefix="ds-bench-logs-") as logs,
        Shown() as shown,
        loaded(rows, making, shown.part, data) as database,
    ):
        try:
            found = measure(
                plan,
                Sample(database, making),
                Path(logs),
                lambda what, measurement: shown.measured(plan.measurements, what, measurement),
            )
        except RunFailed as failure:
            raise SystemExit(str(failure)) from None
        results = Results(about(plan, database), found)
    results.save(output)
    tell(results)


def tell(results: Results) -> None:
    """Prints everything."""
    printed = Console(width=None if sys.stdout.isatty() else WIDTH)
    for table in tables.on_terminal(results.summaries()):
        printed.print(table)
    printed.print(tables.verdicts(judged(results)))


def _quiet() -> None:
    """The embedded server tells of itself; here that is no news."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
