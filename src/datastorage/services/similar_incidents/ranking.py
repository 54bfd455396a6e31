"""The order of candidates: by the score that all comparisons make together, or by similarity alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from datastorage.domain.enums import SearchMode
from datastorage.repositories.candidates import Comparison
from datastorage.search import fusion

SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place; one that no leg has ranked has none."""

    comparison: Comparison
    score: float | None = None
    vector_rank: int | None = None
    lexical_rank: int | None = None

    @property
    def similarity(self) -> float | None:
        """To the whole question; None without a vector."""
        return self.comparison.similarities[0] if self.comparison.similarities else None


def ranked(compared: Sequence[Comparison], mode: SearchMode, moment: datetime) -> list[Ranked]:
    """The candidates, the most alike first; among equals the newest."""
    if not compared:
        return []
    scores = np.array([_scores(one) for one in compared], np.float64)
    total = (
        scores[:, fusion.COMPARISONS.index("vector_whole")]
        if mode is SearchMode.VECTOR
        else fusion.fused(_candidates(compared, scores, moment))
    )
    vector_ranks = _places([one.similarities[0] if one.similarities else None for one in compared])
    lexical_ranks = _places([one.terms[0] or None if one.terms else None for one in compared])
    places = [
        Ranked(one, float(total[place]), vector_ranks[place], lexical_ranks[place])
        for place, one in enumerate(compared)
    ]
    return sorted(
        places,
        key=lambda hit: (hit.score, hit.comparison.start_time, hit.comparison.audit_id),
        reverse=True,
    )


def one_of_each_text(hits: Sequence[Ranked]) -> list[Ranked]:
    """The first of those that share a text."""
    first: dict[bytes, Ranked] = {}
    for hit in hits:
        first.setdefault(hit.comparison.content_hash, hit)
    return list(first.values())


def _scores(one: Comparison) -> tuple[float, ...]:
    """In the order of `fusion.COMPARISONS`; what was not compared has nothing in common."""
    similarities = one.similarities or (None, None)
    return (*(one.terms or (0.0,) * 4), *(similarity or 0.0 for similarity in similarities))


def _candidates(compared: Sequence[Comparison], scores: fusion.Scores, moment: datetime) -> fusion.Candidates:
    seconds = np.array([abs((moment - one.start_time).total_seconds()) for one in compared])
    return fusion.Candidates(scores, seconds / SECONDS_A_DAY, np.array([one.signature for one in compared]))


def _places(values: Sequence[float | None]) -> list[int | None]:
    """1 for the highest value; None where there is none."""
    present = sorted((value for value in values if value is not None), reverse=True)
    place = {value: number for number, value in reversed(list(enumerate(present, start=1)))}
    return [None if value is None else place[value] for value in values]
