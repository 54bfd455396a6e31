"""Many rankings into one: the only place that holds the weights of similarity search.

Each candidate is described by its scores in six comparisons, by its rank in each, by how far in time it lies from
the question, and by whether it shares an error signature. The weights were fitted (`bench/search`) on public
reports of known duplicates, so that the duplicates of a report come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

# Question against incident: `whole` is all of the text, `title` its headline.
COMPARISONS: Final = (
    "terms_whole_whole",
    "terms_title_whole",
    "terms_title_title",
    "terms_whole_title",
    "vector_whole",
    "vector_title",
)
RANK_DAMPING: Final = 10.0

WEIGHTS: Final = {
    "score_terms_whole_whole": 1.582,
    "rank_terms_whole_whole": 1.816,
    "score_terms_title_whole": 1.264,
    "rank_terms_title_whole": 0.453,
    "score_terms_title_title": -2.398,
    "rank_terms_title_title": 0.223,
    "score_terms_whole_title": 3.483,
    "rank_terms_whole_title": -0.412,
    "score_vector_whole": -0.138,
    "rank_vector_whole": -0.022,
    "score_vector_title": 2.538,
    "rank_vector_title": 1.254,
    "days_log": 0.253,
    "days_log_squared": -0.124,
    "signature": 0.246,
}
FEATURES: Final = tuple(WEIGHTS)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is known of each candidate; one row or element for each.

    Shapes: scores float64[candidates, len(COMPARISONS)], 0 where a comparison found nothing; the others
    [candidates].
    """

    scores: Scores
    days_apart: Scores
    signature: NDArray[np.bool_]

    def features(self) -> Scores:
        """The columns that `FEATURES` names. Shapes: float64[candidates, features]."""
        days_log = np.log1p(self.days_apart)
        columns = []
        for comparison in range(len(COMPARISONS)):
            scores = self.scores[:, comparison]
            columns += [_normalised(scores), RANK_DAMPING / (RANK_DAMPING + _ranks(scores))]
        columns += [days_log, days_log**2, self.signature.astype(np.float64)]
        return np.column_stack(columns)


def fused(candidates: Candidates) -> Scores:
    """The score of each candidate; higher is more alike. Shapes: float64[candidates]."""
    return np.asarray(candidates.features() @ np.array(list(WEIGHTS.values())), np.float64)


def _normalised(scores: Scores) -> Scores:
    highest = scores.max(initial=0.0)
    return np.asarray(np.clip(scores, 0.0, None) / (highest if highest > 0 else 1.0), np.float64)


def _ranks(scores: Scores) -> Scores:
    """1 for the highest; equal scores share the best of their places."""
    ascending = np.sort(-scores)
    return np.asarray(np.searchsorted(ascending, -scores, side="left") + 1, np.float64)
