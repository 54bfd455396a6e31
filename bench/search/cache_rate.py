"""How often is a text embedded already? Streams incidents through the embedder's cache, with its default size.

    python bench/search/cache_rate.py [--incidents 10000] [--seed 1] [FOLDER SET ...]

Two streams: `recurring.py`, the same faults of the same services again and again while pods, ids, addresses, times and
numbers vary; and that of `datastorage demo`, where also versions and what was done about it vary. With FOLDER and SETs also the reports of these, which are all different texts by different people.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from recurring import recurring
from reports import documents, remediation

from datastorage.cli.demo_incidents import demo_incidents
from datastorage.domain.names import snake
from datastorage.domain.remediation import RemediationDraft
from datastorage.embedding import MemoryCache, StaticProvider
from datastorage.observability.metrics import CACHE_HITS, CACHE_MISSES
from datastorage.observability.tallies import hand_over
from datastorage.services.embedder import Embedder
from datastorage.services.incident_text import incident_text


def main() -> None:
    """Prints a line for each stream."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("sets", nargs="*")
    given = parser.parse_args()
    asyncio.run(measure(f"{given.incidents} recurring", recurring(given.incidents, given.seed)))
    stream = demo_incidents(given.incidents, seed=given.seed, now=datetime(2026, 11, 1, tzinfo=UTC))
    asyncio.run(measure(f"{given.incidents} demo incidents", stream))
    for name in given.sets:
        rows = (
            {snake(key): value for key, value in remediation(report).items()}
            for report in documents(given.folder, name)
        )
        asyncio.run(measure(name, rows))


async def measure(name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """One stream, one text at a time, as single creates come."""
    embedder = Embedder(StaticProvider.load(), MemoryCache())
    before = seen()
    distinct, raw = set(), set()
    for row in islice(rows, 100_000):
        draft = RemediationDraft.parse(row)
        text = incident_text(draft)
        distinct.add(text.hash)
        raw.add((text.headline, text.body))
        await embedder.vectors({text.hash: text.text})
    hits, misses = (after - earlier for after, earlier in zip(seen(), before, strict=True))
    rate = hits / (hits + misses)
    print(
        f"{name:24} {hits + misses:6.0f} texts, {len(raw)} before masking, {len(distinct)} after: hit rate {rate:.1%}"
    )


def seen() -> tuple[float, float]:
    """Hits and misses so far."""
    hand_over()
    return tuple(metric._value.get() for metric in (CACHE_HITS, CACHE_MISSES))  # type: ignore[return-value]  # noqa: SLF001


if __name__ == "__main__":
    main()
