"""Ranges of hashes: whatever is stored, narrowing and widening end, and lose nothing."""

from hypothesis import given
from hypothesis import strategies as st

from datastorage.vector_engine.hash_range import HASH_BYTES, HASHES, HashRange

HASHES_OF_ANY_SPREAD = st.sets(
    st.one_of(
        st.binary(min_size=HASH_BYTES, max_size=HASH_BYTES),
        st.integers(0, 300).map(lambda number: number.to_bytes(HASH_BYTES)),
        st.integers(1, 300).map(lambda number: (HASHES - number).to_bytes(HASH_BYTES)),
    ),
    max_size=60,
)
STEPS_MAX = 2 * 8 * HASH_BYTES  # doubling reaches every width in so many steps


def held(reach: HashRange, stored: set[bytes]) -> set[bytes]:
    return {key for key in stored if key > reach.after and (reach.last is None or key <= reach.last)}


@given(HASHES_OF_ANY_SPREAD, st.integers(1, 20), st.binary(max_size=HASH_BYTES))
def test_seeking_ends_with_the_first_hashes_beyond(stored: set[bytes], wanted: int, after: bytes) -> None:
    beyond = sorted(key for key in stored if key > after)
    reach = HashRange.holding(wanted, len(beyond), after)

    for _ in range(STEPS_MAX):
        found = held(reach, stored)
        if len(found) > wanted:
            reach = reach.up_to_median(list(found)[: wanted + 1])  # as an engine answers: any of them
        elif not found and not reach.is_open:
            reach = reach.widened()
        else:
            break

    assert sorted(found) == beyond[: len(found)]
    assert len(found) <= wanted
    assert bool(found) == bool(beyond)


def test_what_fits_is_read_to_the_end() -> None:
    assert HashRange.holding(10, 10, b"\x05") == HashRange(b"\x05", None)


def test_a_range_is_as_wide_as_evenly_spread_hashes_ask_for() -> None:
    reach = HashRange.holding(100, 1_000, b"")

    assert reach.last is not None
    assert int.from_bytes(reach.last) == HASHES * 80_000 // 1_000_000


def test_a_range_is_told_in_hexadecimal() -> None:
    assert HashRange(b"\x0a", b"\x0b").expression("hash") == 'hash > "0a" and hash <= "0b"'
    assert HashRange(b"", None).expression("hash") == 'hash > ""'
