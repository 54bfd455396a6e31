"""How good and how fast is a filtered search? Recall of the vector leg against exact search, and latencies.

    python bench/search/filtered.py FOLDER SET [--rows 100000] [--data-dir DIR] [--questions 100]

Fills an embedded database with the reports of a set, again and again as incidents repeat, spread over namespaces
that hold 50, 20, 5, 1 and 0.1 per cent of them; with --data-dir it is kept for the next run. Then asks through the
services: questions near the data (reports) and unlike it (words in a row), one at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from reports import documents, remediation
from rich.progress import track

from datastorage.cli.parts import opened
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import SearchMode
from datastorage.domain.filters import EVERYTHING, Condition, Filter, Operator
from datastorage.domain.names import snake
from datastorage.domain.remediation import REMEDIATION
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import count_records, create_records
from datastorage.services.similar_incidents import (
    SimilarIncidentsFound,
    SimilarityQuestion,
    find_similar_incidents,
    legs,
    search,
)
from datastorage.services.term_statistics import refresh_if_due
from datastorage.settings import Settings

SHARES = {"half": 0.5, "fifth": 0.2, "twentieth": 0.05, "hundredth": 0.01, "thousandth": 0.001}
BATCH = 500
TIE = 0.002  # halfvec's rounding


def main() -> None:
    """Fills if need be, asks, prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("set")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--questions", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        data_dir = given.data_dir or Path(scratch) / "data"
        asyncio.run(run(documents(given.folder, given.set), given.rows, data_dir, given.questions))


async def run(reports: Sequence[dict[str, Any]], rows: int, data_dir: Path, questions: int) -> None:
    """One line for each share."""
    async with opened(Settings(_env_file=None, data_dir=data_dir)) as deps:
        if await count_records(deps, OPERATOR, REMEDIATION, EVERYTHING, rows) < rows:
            await fill(deps, reports, rows)
        await refresh_if_due(deps.database)
        asked = texts(reports, questions)
        for text in asked[:20]:  # warm
            await ask(deps, text, EVERYTHING, SearchMode.HYBRID)
        print(
            f"{'filter keeps':14}{'recall@10':>10}   vector leg p50 / p95 ms   similarIncidents p50 / p95 ms"
        )
        for name, share in {"all": 1.0, **SHARES}.items():
            where: Filter = EVERYTHING if name == "all" else Condition("namespace", Operator.EQ, name)
            await measure(deps, asked, where, f"{share:.1%}")


async def measure(deps: Dependencies, asked: Sequence[str], where: Filter, name: str) -> None:
    """One line."""
    recalls, vector_ms, hybrid_ms = [], [], []
    for text in asked:
        started = time.perf_counter()
        found = await ask(deps, text, where, SearchMode.VECTOR)
        vector_ms.append((time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        await ask(deps, text, where, SearchMode.HYBRID)
        hybrid_ms.append((time.perf_counter() - started) * 1000)
        with everything_compared():
            exact = await ask(deps, text, where, SearchMode.VECTOR)
        floor = min(hit.similarity or -1.0 for hit in exact.hits) - TIE
        near = sum((hit.similarity or -1.0) >= floor for hit in found.hits)
        recalls.append(near / len(exact.hits))
    print(f"{name:14}{np.mean(recalls):10.3f}   {of(vector_ms):>23}   {of(hybrid_ms):>29}", flush=True)


def of(took: Sequence[float]) -> str:
    """Median and 95th percentile."""
    return f"{statistics.median(took):.1f} / {statistics.quantiles(took, n=20)[-1]:.1f}"


async def ask(deps: Dependencies, text: str, where: Filter, mode: SearchMode) -> SimilarIncidentsFound:
    """One question."""
    return await find_similar_incidents(deps, OPERATOR, SimilarityQuestion(text=text, where=where, mode=mode))


@contextmanager
def everything_compared() -> Iterator[None]:
    """No index inside."""
    before = legs.EXACT_SCAN_ROWS_MAX, search.MATCHES_COUNTED_MAX
    legs.EXACT_SCAN_ROWS_MAX = search.MATCHES_COUNTED_MAX = 10**9  # type: ignore[misc]
    try:
        yield
    finally:
        legs.EXACT_SCAN_ROWS_MAX, search.MATCHES_COUNTED_MAX = before  # type: ignore[misc]


async def fill(deps: Dependencies, reports: Sequence[dict[str, Any]], rows: int) -> None:
    """The same incidents on every run."""
    pick = random.Random(1)
    names = [*SHARES, "rest"]
    weights = [*SHARES.values(), 1 - sum(SHARES.values())]
    for first in track(range(0, rows, BATCH), f"storing {rows} incidents"):
        inputs = []
        for number in range(first, min(first + BATCH, rows)):
            report = remediation(reports[number % len(reports)])
            report |= {
                "remediationRequestId": f"bench-{number}",
                "namespace": pick.choices(names, weights)[0],
            }
            inputs.append({snake(key): value for key, value in report.items()})
        await create_records(deps, OPERATOR, REMEDIATION, inputs)


def texts(reports: Sequence[dict[str, Any]], count: int) -> list[str]:
    """Nine in ten are reports, the others unlike all data."""
    pick = random.Random(2)
    words = [word for report in reports[:500] for word in report["title"].split()]
    near = [f"{report['title']}\n{report['text'] or ''}" for report in pick.sample(list(reports), count)]
    return [
        " ".join(pick.choices(words, k=8)) if place % 10 == 0 else text for place, text in enumerate(near)
    ]


if __name__ == "__main__":
    main()
