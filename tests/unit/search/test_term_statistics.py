"""Term statistics: rare terms weigh more; the rarest that a budget affords; what is not listed is rare."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.search.term_statistics import UNKNOWN, TermStatistics

KNOWN = TermStatistics(1000, np.array([2, 5, 9], np.int32), np.array([1000, 10, 200], np.int32))


def test_frequencies_are_those_listed_and_one_for_the_others() -> None:
    assert KNOWN.frequencies([9, 2, 7, 5, 0, 10]).tolist() == [200, 1000, 1, 10, 1, 1]
    assert UNKNOWN.frequencies([9, 2]).tolist() == [1, 1]


def test_a_term_weighs_what_bm25_says() -> None:
    weights = KNOWN.weighed({2: 1.0, 5: 2.0, 7: 1.0})

    assert weights[2] == pytest.approx(math.log(1 + 0.5 / 1000.5))
    assert weights[5] == pytest.approx(2 * math.log(1 + 990.5 / 10.5))
    assert weights[7] == pytest.approx(math.log(1 + 999.5 / 1.5))


def test_without_statistics_all_terms_weigh_alike() -> None:
    weights = UNKNOWN.weighed({2: 1.0, 5: 1.0})

    assert weights[2] == weights[5] > 0


@pytest.mark.parametrize(
    ("documents_max", "terms_max", "chosen"),
    [(5_000, 9, [7, 5, 9, 2]), (500, 9, [7, 5, 9]), (5_000, 2, [7, 5]), (0, 9, [7]), (11, 9, [7, 5])],
)
def test_the_rarest_terms_are_chosen_as_far_as_the_budget_goes(
    documents_max: float, terms_max: int, chosen: list[int]
) -> None:
    assert KNOWN.rarest([2, 5, 7, 9], documents_max, terms_max) == chosen


def test_no_terms_are_no_choice() -> None:
    assert KNOWN.rarest([], 10, 10) == []


@given(st.dictionaries(st.integers(0, 2**28 - 1), st.integers(2, 10**6)), st.lists(st.integers(0, 2**28 - 1)))
def test_what_was_stored_is_read_back(listed: dict[int, int], asked: list[int]) -> None:
    numbers = np.array(sorted(listed), "<i4")
    frequencies = np.array([listed[int(number)] for number in numbers], "<i4")

    read = TermStatistics.from_bytes(10**7, numbers.tobytes(), frequencies.tobytes())

    assert read.frequencies(asked).tolist() == [listed.get(number, 1) for number in asked]
    assert all(weight > 0 for weight in read.weighed(dict.fromkeys(asked, 1.0)).values())
