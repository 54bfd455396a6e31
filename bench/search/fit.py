"""Fits the weights of `datastorage.search.fusion` on sets of reports with known duplicates, and tests them.

    python bench/search/fit.py FOLDER SET SET [--l2 0.01]

Every question of the first set and every second one of the second are fitted on; the other half is the test. Each
set is loaded into an embedded database of its own, and asked through the services, so that the features are those
that the product computes. The loss is that of a choice among the candidates (softmax), with a small penalty.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reports import Question, documents, questions, remediation
from rich.progress import track

from datastorage.cli.parts import opened
from datastorage.domain.caller import OPERATOR
from datastorage.domain.filters import Condition, Operator
from datastorage.domain.names import snake
from datastorage.domain.remediation import REMEDIATION
from datastorage.search import fusion
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_records
from datastorage.services.similar_incidents import SimilarityQuestion, find_similar_incidents, ranking
from datastorage.services.term_statistics import refresh_if_due
from datastorage.settings import Settings

Features = NDArray[np.float64]
BATCH = 200
STEPS = 3_000
RATE = 0.05


@dataclass(frozen=True)
class Asked:
    """The candidates of one question, and which of them are its duplicates."""

    features: Features
    relevant: NDArray[np.float64]
    duplicates: int


def main() -> None:
    """Prints the weights, and how well they do on what they have not seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("--l2", type=float, default=0.01)
    given = parser.parse_args()
    first, second = (asyncio.run(asked(given.folder, name)) for name in (given.first, given.second))
    weights = fitted([*first, *second[::2]], given.l2)
    for name, part in ((given.first, first), (f"{given.second}, fitted", second[::2])):
        print(f"{name:24} nDCG@10 {ndcg(part, weights):.1f}")
    print(f"{given.second + ', not seen':24} nDCG@10 {ndcg(second[1::2], weights):.1f}")
    for name, weight in zip(fusion.FEATURES, weights, strict=True):
        print(f'    "{name}": {weight:.3f},')


async def asked(folder: Path, name: str) -> list[Asked]:
    """The features of every question of a set."""
    with tempfile.TemporaryDirectory() as data_dir:
        Path(data_dir).chmod(0o755)  # noqa: ASYNC240 -- nothing else runs here
        async with opened(Settings(_env_file=None, data_dir=Path(data_dir) / "data")) as deps:
            reports = documents(folder, name)
            for place in track(range(0, len(reports), BATCH), f"loading {name}"):
                rows = [remediation(report) for report in reports[place : place + BATCH]]
                await create_records(
                    deps,
                    OPERATOR,
                    REMEDIATION,
                    [{snake(key): value for key, value in row.items()} for row in rows],
                )
            await refresh_if_due(deps.database)
            found = []
            for question in track(questions(folder, name), f"asking {name}"):
                described = await candidates(deps, question)
                if described is not None:
                    found.append(described)
            return found


async def candidates(deps: Dependencies, question: Question) -> Asked | None:
    """What the search knows of each candidate."""
    with recorded() as seen:
        answer = await find_similar_incidents(
            deps,
            OPERATOR,
            SimilarityQuestion(
                text=question.text,
                where=Condition("remediation_request_id", Operator.NE, question.id),
                at=datetime.fromisoformat(question.at),
                rows=100,
            ),
        )
    if not seen:
        return None
    ids, features = seen[0]
    keys = {hit.incident.id: hit.incident.remediation_request_id for hit in answer.hits}
    missing = [row_id for row_id in ids if row_id not in keys]
    keys |= await request_ids(deps, missing)
    relevant = np.array([keys[row_id] in question.relevant for row_id in ids], np.float64)
    return Asked(features, relevant, len(question.relevant))


async def request_ids(deps: Dependencies, ids: Sequence[int]) -> dict[int, str]:
    """The request ids of incidents."""
    from datastorage.repositories.records import Records  # noqa: PLC0415 -- a bench looks inside

    async with deps.database.read() as session:
        audits = await Records(session, OPERATOR.scope, REMEDIATION).by_ids(ids)
    return {row_id: audit.remediation_request_id for row_id, audit in audits.items()}


@contextmanager
def recorded() -> Iterator[list[tuple[list[int], Features]]]:
    """Keeps what the ranking is given."""
    seen: list[tuple[list[int], Features]] = []
    ranked, fused = ranking.ranked, fusion.fused

    def spy(given: fusion.Candidates) -> fusion.Scores:
        seen.append(([], given.features()))
        return fused(given)

    from datastorage.services.similar_incidents import search  # noqa: PLC0415 -- a bench looks inside

    def watching(compared: Any, *rest: Any) -> Any:
        places = ranked(compared, *rest)
        if seen and compared:
            seen[0][0].extend(one.audit_id for one in compared)
        return places

    fusion.fused, search.ranked = spy, watching
    try:
        yield seen
    finally:
        fusion.fused, search.ranked = fused, ranked


def fitted(groups: Sequence[Asked], l2: float) -> Features:
    """The weights that make the duplicates the likeliest choice (Adam, all questions at once)."""
    groups = [group for group in groups if group.relevant.any()]
    stacked = np.concatenate([group.features for group in groups])
    mean, spread = stacked.mean(axis=0), stacked.std(axis=0) + 1e-9
    stacked = (stacked - mean) / spread
    wanted = np.concatenate([group.relevant / group.relevant.sum() for group in groups])
    sizes = np.array([len(group.relevant) for group in groups])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    weights = np.zeros(stacked.shape[1])
    momentum, variance = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        scores = stacked @ weights
        chances = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        chances /= np.repeat(np.add.reduceat(chances, starts), sizes)
        gradient = stacked.T @ (chances - wanted) / len(groups) + l2 * weights
        momentum = 0.9 * momentum + 0.1 * gradient
        variance = 0.999 * variance + 0.001 * gradient**2
        weights -= RATE * (momentum / (1 - 0.9**step)) / (np.sqrt(variance / (1 - 0.999**step)) + 1e-8)
    return np.asarray(weights / spread)


def ndcg(groups: Sequence[Asked], weights: Features) -> float:
    """Mean nDCG@10 in per cent."""
    gains = []
    for group in groups:
        best = np.argsort(-(group.features @ weights), kind="stable")[:10]
        gain = sum(group.relevant[row] / math.log2(place + 2) for place, row in enumerate(best))
        ideal = sum(1 / math.log2(place + 2) for place in range(min(10, group.duplicates)))
        gains.append(gain / ideal)
    return 100 * float(np.mean(gains))


if __name__ == "__main__":
    main()
