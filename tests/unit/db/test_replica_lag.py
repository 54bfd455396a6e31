"""How stale a replica is, from where the primary stood when."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from datastorage.db.replica import POSITIONS_MAX, Lag


def test_what_has_been_replayed_is_no_lag_however_long_nothing_is_written() -> None:
    lag = Lag()
    for now_s in range(100):
        lag.wrote(now_s, 500)

        assert lag.behind_s(now_s, 500) == 0


def test_it_is_as_stale_as_the_last_position_that_it_has_reached() -> None:
    lag = Lag()
    for now_s in range(10):
        lag.wrote(now_s, 100 * now_s)

    assert lag.behind_s(9.5, 350) == 6.5  # it has reached 300, of second 3, and not 400
    assert lag.behind_s(9.5, 350) == 6.5
    assert lag.behind_s(9.5, 900) == 0


def test_nobody_knows_how_stale_one_is_that_has_reached_nothing_known() -> None:
    lag = Lag()
    lag.wrote(1, 100)

    assert lag.behind_s(2, 50) == inf
    assert lag.behind_s(3, 100) == 0


def test_one_that_stands_still_for_ever_takes_no_more_memory() -> None:
    lag = Lag()
    for now_s in range(3 * POSITIONS_MAX):
        lag.wrote(now_s, now_s + 1)

        assert lag.behind_s(now_s, 0) == inf

    assert len(lag._written) == POSITIONS_MAX


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 60)), min_size=1, max_size=40))
def test_it_is_never_taken_for_fresher_than_it_is(steps: list[tuple[int, int]]) -> None:
    lag, position, replayed, history = Lag(), 0, 0, []
    for now_s, (written, replays) in enumerate(steps):
        position += written
        replayed = min(position, max(replayed, replayed + replays))
        history.append((now_s, position))
        lag.wrote(now_s, position)

        behind_s = lag.behind_s(now_s, replayed)

        oldest_missing = next((at for at, stood in history if stood > replayed), None)
        assert behind_s >= (0 if oldest_missing is None else now_s - oldest_missing)
