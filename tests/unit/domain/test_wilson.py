"""Wilson's lower bound: worked by hand, and what must hold for every rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.domain.wilson import Z_95, wilson_lower_bound

tries = st.integers(min_value=1, max_value=100_000)


@st.composite
def rates(draw: st.DrawFn) -> tuple[int, int]:
    """Successes and tries."""
    number = draw(tries)
    return draw(st.integers(min_value=0, max_value=number)), number


@pytest.mark.parametrize(
    ("successes", "number", "bound"),
    [
        (0, 10, 0.0),
        (1, 1, 0.20654931437723743),  # 1 / (1 + z²): of n out of n it is n / (n + z²)
        (10, 10, 0.7224672001371108),
        (50, 50, 0.9286524008666413),
        (1, 2, 0.09453120573423073),
        (5, 10, 0.236593090512564),
        (1, 10, 0.017876213095072907),
        (9, 10, 0.5958499732047615),
        (90, 100, 0.8256343384950865),
    ],
)
def test_the_bound_is_what_the_formula_gives(successes: int, number: int, bound: float) -> None:
    assert wilson_lower_bound(successes, number) == pytest.approx(bound, abs=1e-12)


def test_nothing_is_known_without_a_try() -> None:
    assert wilson_lower_bound(0, 0) is None


def test_many_tries_that_mostly_helped_come_before_one_that_did() -> None:
    assert (wilson_lower_bound(90, 100) or 0) > (wilson_lower_bound(1, 1) or 0)


@given(rates())
def test_the_bound_lies_between_nothing_and_the_rate(rate: tuple[int, int]) -> None:
    successes, number = rate

    bound = wilson_lower_bound(successes, number)

    assert bound is not None
    assert 0 <= bound <= successes / number
    assert bound < 1
    assert (bound == 0) or successes > 0


@given(rates(), st.integers(min_value=2, max_value=50))
def test_the_same_rate_of_more_tries_is_surer(rate: tuple[int, int], times: int) -> None:
    successes, number = rate

    fewer, more = wilson_lower_bound(successes, number), wilson_lower_bound(successes * times, number * times)

    assert fewer is not None
    assert more is not None
    assert more > fewer if successes else more == fewer == 0


@given(rates())
def test_one_more_success_raises_the_bound_and_one_more_failure_lowers_it(rate: tuple[int, int]) -> None:
    successes, number = rate

    bound = wilson_lower_bound(successes, number)
    helped, failed = (
        wilson_lower_bound(successes + 1, number + 1),
        wilson_lower_bound(successes, number + 1),
    )

    assert None not in (bound, helped, failed)
    assert failed <= bound <= helped  # type: ignore[operator]


@given(rates())
def test_the_bound_is_the_rate_whose_own_deviation_just_reaches_what_was_seen(rate: tuple[int, int]) -> None:
    successes, number = rate
    bound = wilson_lower_bound(successes, number)
    assert bound is not None

    # what defines the interval: (seen − bound)² = z² · bound · (1 − bound) / n
    seen = successes / number
    assert (seen - bound) ** 2 == pytest.approx(Z_95**2 * bound * (1 - bound) / number, rel=1e-6, abs=1e-12)
