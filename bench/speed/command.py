"""Options of the two benches, and what they print in the end."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final, Self, TypeAlias

import structlog
import typer
from rich.console import Console

from bench.speed import page, tables
from bench.speed.about import about
from bench.speed.data.originals import Making
from bench.speed.database import loaded
from bench.speed.measuring import Plan, measure
from bench.speed.names import PEERS, SERVICE
from bench.speed.progress import Shown
from bench.speed.questions import BY_NAME, GROWTH_QUESTIONS, QUESTIONS, Question
from bench.speed.results import Results
from bench.speed.sample import Sample
from bench.speed.targets import GROWTH_TARGETS, TARGETS, Target, judged

RESULTS: Final = Path(__file__).parents[1] / "results"
WIDTH: Final = 120  # of tables in a file

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Seconds: TypeAlias = Annotated[int, typer.Option(help="Of each measurement.", min=1)]
Rounds: TypeAlias = Annotated[int, typer.Option(help="Of which the median counts.", min=1)]
Questions: TypeAlias = Annotated[str, typer.Option(help=f"Some of {', '.join(BY_NAME)}; comma-separated.")]
Quick: TypeAlias = Annotated[bool, typer.Option("--quick", help="One round of 2 s, to see whether it works.")]
Reports: TypeAlias = Annotated[
    Path | None, typer.Option(help="JSONL with `title` and `text`: real reports instead of made-up ones.")
]
Data: TypeAlias = Annotated[
    Path | None, typer.Option(help="Keep what was loaded in this folder, and start from it the next time.")
]
WriteDocs: TypeAlias = Annotated[
    bool, typer.Option("--write-docs", help="Keep the results, and write docs/performance.md from them.")
]


@app.command()
def run(
    rows: Annotated[int, typer.Option(help="Remediations in the database.", min=100)] = 100_000,
    seconds: Seconds = 10,
    rounds: Rounds = 3,
    questions: Questions = "",
    peers: Annotated[str, typer.Option(help=f"Some of {', '.join(PEERS)}; the first letters will do.")] = "",
    connections: Annotated[int | None, typer.Option(help="Instead of those of each question.", min=1)] = None,
    quick: Quick = False,
    reports: Reports = None,
    data: Data = None,
    write_docs: WriteDocs = False,
) -> None:
    """Measure the service beside its peers: one PostgreSQL, one data set, the same questions, in turn."""
    first_letters = tuple(peers.lower().split(","))
    with Loaded([rows], Making(reports=reports), data) as samples:
        plan = Plan(
            questions=_chosen(questions, QUESTIONS),
            peers=[name for name in PEERS if name.lower().startswith(first_letters)],
            samples=samples.by_rows,
            seconds=2 if quick else seconds,
            rounds=1 if quick else rounds,
            connections=connections,
        )
        results = samples.measured(plan)
    _finish(
        results, TARGETS, RESULTS / ("speed.json" if write_docs else "latest.json"), write_docs=write_docs
    )


@app.command()
def growth(
    sizes: Annotated[str, typer.Option(help="Remediations in the databases.")] = "10000,100000,1000000",
    seconds: Seconds = 10,
    rounds: Rounds = 3,
    questions: Questions = "",
    quick: Quick = False,
    data: Data = None,
    write_docs: WriteDocs = False,
) -> None:
    """Measure how cost grows: the service on several databases of different size, in turn."""
    with Loaded([int(size) for size in sizes.split(",")], Making(around=False), data) as samples:
        plan = Plan(
            questions=_chosen(questions, GROWTH_QUESTIONS),
            peers=[SERVICE],
            samples=samples.by_rows,
            seconds=2 if quick else seconds,
            rounds=1 if quick else rounds,
        )
        results = samples.measured(plan)
    file = RESULTS / ("growth.json" if write_docs else "latest-growth.json")
    _finish(results, GROWTH_TARGETS, file, write_docs=write_docs)


@app.command()
def docs() -> None:
    """Write docs/performance.md from the results that are kept."""
    page.write(RESULTS)


class Loaded:
    """Databases of several sizes, with all that has to be taken away in the end."""

    def __init__(self, sizes: list[int], making: Making, data: Path | None) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))  # of servers that start
        self._sizes, self._making, self._data = sizes, making, data
        self._stack, self._shown = ExitStack(), Shown()
        self.by_rows: dict[int, Sample] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ds-bench-logs-")))
            stack.enter_context(self._shown)
            for rows in self._sizes:
                kept = self._data / str(rows) if self._data and len(self._sizes) > 1 else self._data
                database = stack.enter_context(loaded(rows, self._making, self._shown.part, kept))
                self.by_rows[rows] = Sample(database, self._making)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measured(self, plan: Plan) -> Results:
        """The results, those of questions aside that failed; these are told."""
        self._shown.expect(plan.measurements)
        failed: dict[str, str] = {}
        found = list(measure(plan, self._logs, self._shown.step, failed))
        return Results({**about(plan), "failed": failed}, found)


def _chosen(names: str, otherwise: tuple[Question, ...]) -> tuple[Question, ...]:
    return tuple(BY_NAME[name] for name in names.split(",")) if names else otherwise


def _finish(results: Results, targets: tuple[Target, ...], file: Path, *, write_docs: bool) -> None:
    """Saves and prints everything; the exit code is 1 where a question failed."""
    results.save(file)
    printed = Console(width=None if sys.stdout.isatty() else WIDTH)
    for table in tables.on_terminal(results):
        printed.print(table)
    printed.print(tables.verdicts(judged(results, targets)))
    if write_docs:
        page.write(RESULTS)
    for question, why in results.about["failed"].items():
        printed.print(f"{question} failed: {why}", style="red", markup=False)
    raise typer.Exit(1 if results.about["failed"] else 0)
