"""Fusion: better in everything is never worse placed; scale and company of the candidates decide nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.search.fusion import COMPARISONS, FEATURES, Candidates, fused


def candidates(scores: list[list[float]], days: list[float], signed: list[bool]) -> Candidates:
    return Candidates(np.array(scores, np.float64), np.array(days, np.float64), np.array(signed))


def test_features_are_shares_of_the_best_and_damped_ranks() -> None:
    two = candidates([[4.0] * 6, [1.0] * 6], [0.0, np.e - 1], [True, False])

    features = dict(zip(FEATURES, two.features().T, strict=True))

    assert features["score_vector_whole"].tolist() == [1.0, 0.25]
    assert features["rank_vector_whole"] == pytest.approx([10 / 11, 10 / 12])
    assert features["days_log"] == pytest.approx([0.0, 1.0])
    assert features["signature"].tolist() == [1.0, 0.0]


def test_equal_scores_share_a_rank_and_nothing_found_is_zero() -> None:
    three = candidates([[0.0] * 6, [2.0] * 6, [2.0] * 6], [1.0] * 3, [False] * 3)

    features = dict(zip(FEATURES, three.features().T, strict=True))

    assert features["rank_terms_whole_whole"] == pytest.approx([10 / 13, 10 / 11, 10 / 11])
    assert features["score_terms_whole_whole"].tolist() == [0.0, 1.0, 1.0]


def test_the_same_text_comes_before_any_other_of_the_same_time() -> None:
    scores = [[9.0, 5.0, 4.0, 4.0, 1.0, 0.9], [3.0, 2.0, 1.0, 1.0, 0.5, 0.4], [0.0] * 6]

    found = fused(candidates(scores, [1.0] * 3, [True, False, False]))

    assert found[0] > found[1] > found[2]


@given(
    st.lists(
        st.lists(st.integers(0, 100).map(float), min_size=len(COMPARISONS), max_size=len(COMPARISONS)),
        min_size=1,
        max_size=20,
    ),
    st.floats(0.01, 100),
)
def test_the_scale_of_a_comparison_decides_nothing(scores: list[list[float]], scale: float) -> None:
    days, signed = [3.0] * len(scores), [False] * len(scores)

    plain, scaled = (
        fused(candidates(rows, days, signed))
        for rows in (scores, [[value * scale for value in row] for row in scores])
    )

    assert np.isfinite(plain).all()
    assert plain == pytest.approx(scaled, abs=1e-6)
