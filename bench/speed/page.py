"""docs/performance.md and its drawings, from the results that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.speed import plots, tables
from bench.speed.names import PGBENCH
from bench.speed.results import Results
from bench.speed.targets import GROWTH_TARGETS, TARGETS, judged

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "performance.md"
IMAGES: Final = ROOT / "docs" / "images"
COMPARED: Final = ("list", "get", "nested", "create")

HEAD: Final = """\
# Performance

Written by `make bench ARGS=--write-docs` and `make bench-growth ARGS=--write-docs`; the figures are those of
`bench/results`.

The service stands beside what one could take instead, all on one PostgreSQL (the embedded one, as it is shipped), the
same rows and the same questions, in turns, round by round:

- **datastorage**: one process as `datastorage serve` starts it, metrics, limits and logs included. A create checks,
  redacts and stores the record, an event and the words that it is found by, and, where the question says so, its
  vector.
- **PostGraphile 5**: one process with its Amber preset. A create inserts one row.
- **plain Strawberry**: Strawberry, SQLAlchemy's ORM and a data loader, as their documentation shows them
  ([source](../bench/peers/strawberry_app.py)).
- **asyncpg + orjson**: the floor for Python: an ASGI application that sends one prepared statement and writes JSON
  ([source](../bench/peers/asyncpg_app.py)).
- **pgbench**: the statement alone.

Client, servers and PostgreSQL share the cores, as they would on one machine. [wrk](https://github.com/wg/wrk) asks
without pause on the connections given; before it measures, all peers must give the same answer, and while it does,
every answer is looked at: one that is an error makes a round void. Figures are medians of the rounds, memory is the
most seen; CPU is that of the peer and of PostgreSQL for each request. “datastorage is” says how many times as many
requests it answers. Absolute figures move by tens of per cent from one day and machine to another; the ratios hold.
"""

GROWTH: Final = """\
## With more data

The service on databases of several sizes, in turns. A million incidents have about 150,000 distinct texts, 100,000
have 30,000, and 10,000 have 6,000: failures recur. “Cost grew by” is how many times as long a request takes at the
last step.

![Cost by number of stored remediations](images/performance-growth.svg)
"""

TAIL: Final = """\
## Measuring it yourself

```console
$ apt-get install wrk nodejs npm
$ make bench                                  # everything, some 20 minutes on an idle machine
$ make bench ARGS="--quick --questions list,get --data /tmp/bench-data"
$ make bench-growth                           # 10,000, 100,000 and a million remediations
```

`--help` names all options. `--data FOLDER` keeps what was loaded for the next time. Node 22 and PostGraphile come from
npm, as the [lock file](../bench/peers/postgraphile/package-lock.json) says. What is started is ended, also by Ctrl-C.
"""


def write(results: Path) -> None:
    """The page and its drawings, as far as there are results."""
    for name, content in written(results).items():
        (ROOT / name).write_text(content)


def written(results: Path) -> dict[str, str]:
    """The files by their names."""
    files, page = {}, [HEAD]
    if (results / "speed.json").exists():
        found = Results.load(results / "speed.json")
        compared = [each for each in found.summaries() if each.question in COMPARED and each.peer != PGBENCH]
        files[_image("performance")] = plots.bars(compared)
        page += _speed(found)
    if (results / "growth.json").exists():
        found = Results.load(results / "growth.json")
        files[_image("performance-growth")] = plots.lines(_costs(found))
        page += _growth(found)
    page.append(TAIL)
    files[str(PAGE.relative_to(ROOT))] = "\n".join(page)
    return files


def _image(name: str) -> str:
    return str((IMAGES / f"{name}.svg").relative_to(ROOT))


def _speed(found: Results) -> Iterator[str]:
    (database,) = found.about["databases"]
    yield _circumstances(found.about)
    yield (
        f"The database holds {database['rows']:,} remediations with their analyses, workflows and executions, "
        f"{database['texts']:,} distinct texts, {database['mb']:,} MB.\n"
    )
    yield "## What it is meant to reach\n"
    yield from _lines(tables.verdicts_in_markdown(judged(found, TARGETS)))
    yield "## Beside the others\n"
    yield "![Requests a second](images/performance.svg)\n"
    summaries = found.summaries()
    for question in found.questions:
        yield f"**{tables.title(question)}**\n"
        lines = [tables.cells(each) for each in summaries if each.question == question]
        yield from _lines(tables.in_markdown(tables.HEAD, lines))
    yield from (f"{question} failed: {why}\n" for question, why in found.about["failed"].items())


def _growth(found: Results) -> Iterator[str]:
    yield GROWTH
    yield _circumstances(found.about)
    yield "Requests a second:\n"
    yield from _lines(tables.in_markdown(*tables.grown(found)))
    yield "From 100,000 to a million:\n"
    yield from _lines(tables.verdicts_in_markdown(judged(found, GROWTH_TARGETS)))


def _costs(found: Results) -> dict[str, dict[int, float]]:
    """Milliseconds a request by question and number of rows."""
    return {
        question: {rows: 1000 / per_s for rows in found.sizes if (per_s := found.per_s(question, rows))}
        for question in found.questions
    }


def _circumstances(about: dict[str, Any]) -> str:
    return (
        f"Measured on {about['date']} at {about['commit']}: {about['cores']} cores ({about['processor']}), "
        f"{about['memory_gb']} GB, Python {about['python']}, PostgreSQL {about['postgresql']}; "
        f"{about['rounds']} rounds of {about['seconds']} s.\n"
    )


def _lines(lines: list[str]) -> Iterator[str]:
    yield "\n".join(lines) + "\n"
