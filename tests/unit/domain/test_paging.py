"""Cursors and pages as values: a cursor comes back as it went in, and nothing else passes for one."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.domain.cursor import Cursors, cursor_time
from datastorage.domain.enums import Phase
from datastorage.domain.filters import EVERYTHING, AllOf, AnyOf, Condition, Filter, Not, Operator
from datastorage.domain.paging import (
    NEWEST_FIRST,
    Order,
    OrderTerm,
    page_request,
    total_order,
)
from datastorage.errors import BadCursor, InvalidInput
from datastorage.limits import CURSOR_CHARS_MAX

# What ordered columns hold, as JSON knows it; times travel as text.
VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=50) | st.booleans()
WHERE: list[Filter] = [
    EVERYTHING,
    Condition("phase", Operator.EQ, Phase.FAILED),
    Condition("phase", Operator.NE, Phase.FAILED),
    Condition("phase", Operator.EQ, "FAILED"),
    Condition("duration_ms", Operator.EQ, 1),
    Condition("duration_ms", Operator.EQ, "1"),
    Not(EVERYTHING),
    AllOf((EVERYTHING,)),
    AnyOf((EVERYTHING,)),
    AnyOf(()),
    Condition("name", Operator.IN, ("a", "b")),
    Condition("name", Operator.IN, ("a, b",)),
]
ORDERS: list[Order] = [
    NEWEST_FIRST,
    (OrderTerm("start_time"), OrderTerm("id")),
    (OrderTerm("start_time", descending=True), OrderTerm("id")),
    (OrderTerm("start_time", descending=True, nulls_first=True), OrderTerm("id", descending=True)),
    (OrderTerm("id", descending=True), OrderTerm("start_time", descending=True)),
]
LISTS = [(where, order, of) for where in WHERE for order in ORDERS for of in ("", "Thing", "Other")]


@given(values=st.tuples(VALUES, VALUES), where=st.sampled_from(WHERE), order=st.sampled_from(ORDERS))
def test_a_cursor_comes_back_as_it_went_in(values: tuple, where: Filter, order: Order) -> None:
    cursor = Cursors(where, order).encode(values)

    assert Cursors(where, order).decode(cursor) == values


@given(values=st.tuples(VALUES, VALUES))
def test_a_cursor_is_safe_in_a_url(values: tuple) -> None:
    cursor = Cursors(EVERYTHING, NEWEST_FIRST).encode(values)

    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_times_and_members_travel_as_what_the_database_takes() -> None:
    cursors = Cursors(EVERYTHING, NEWEST_FIRST)

    moment, phase = cursors.decode(cursors.encode((datetime(2026, 1, 1, 0, 0, 0, 1, UTC), Phase.FAILED)))

    assert cursor_time(moment) == datetime(2026, 1, 1, 0, 0, 0, 1, UTC)
    assert phase == "failed"


@given(
    values=st.tuples(VALUES, VALUES),
    lists=st.lists(st.sampled_from(LISTS), min_size=2, max_size=2, unique=True),
)
def test_a_cursor_fits_no_other_list(values: tuple, lists: list[tuple[Filter, Order, str]]) -> None:
    ours, other = (Cursors(where, order, of) for where, order, of in lists)

    with pytest.raises(BadCursor, match="belongs to another filter or order, or was altered"):
        other.decode(ours.encode(values))


@given(
    st.text()
    | st.text("ABCabc012-_=", max_size=60)
    | st.binary(max_size=80).map(lambda data: as_text(b"\x01" + data))
)
def test_any_other_text_is_a_bad_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        Cursors(EVERYTHING, NEWEST_FIRST).decode(text)


@given(values=st.tuples(VALUES, VALUES), data=st.data())
def test_a_cursor_with_any_bit_changed_is_a_bad_cursor(values: tuple, data: st.DataObject) -> None:
    cursors = Cursors(EVERYTHING, NEWEST_FIRST)
    payload = bytearray(as_bytes(cursors.encode(values)))
    place = data.draw(st.integers(0, 8 * len(payload) - 1))
    payload[place // 8] ^= 1 << place % 8

    with pytest.raises(BadCursor):
        cursors.decode(as_text(bytes(payload)))


@given(values=st.tuples(VALUES, VALUES), data=st.data())
def test_a_cursor_has_one_spelling(values: tuple, data: st.DataObject) -> None:
    cursors = Cursors(EVERYTHING, NEWEST_FIRST)
    cursor = cursors.encode(values)
    place = data.draw(st.integers(0, len(cursor)))
    other = data.draw(st.characters(codec="ascii"))

    for changed in (cursor[:place] + other + cursor[place:], cursor[:place] + other + cursor[place + 1 :]):
        if changed != cursor:
            with pytest.raises(BadCursor):
                cursors.decode(changed)


@pytest.mark.parametrize(
    "forged", [b"", b"{", b"{}", b"1", b'"x"', b"[]", b"[1]", b"[1,2,3]", b"[1,2", b"\xff", b"[" * 5000]
)
def test_a_forged_cursor_is_a_bad_cursor(forged: bytes) -> None:
    cursors = Cursors(EVERYTHING, NEWEST_FIRST)

    with pytest.raises(BadCursor, match="cannot be read"):
        cursors.decode(as_text(cursors._payload(forged)))


def test_a_cursor_of_another_release_says_so() -> None:
    cursors = Cursors(EVERYTHING, NEWEST_FIRST)

    with pytest.raises(BadCursor, match="made by another release"):
        cursors.decode(as_text(b"\x02" + as_bytes(cursors.encode((1, 2)))[1:]))


def test_the_longest_values_fit_into_a_cursor() -> None:
    order = total_order(
        [OrderTerm(name) for name in ("name", "namespace", "cluster_name", "alert_fingerprint", "x")]
    )

    cursor = Cursors(EVERYTHING, order).encode(("a" * 255,) * 4 + ("a" * 512, 2**63 - 1))

    assert len(cursor) <= CURSOR_CHARS_MAX
    assert len(Cursors(EVERYTHING, order).decode(cursor)) == 6


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:00:00-14:00",
        None,
        1,
        [],
    ],
)
def test_what_is_no_time_is_a_bad_cursor(text: object) -> None:
    with pytest.raises(BadCursor):
        cursor_time(text)


def test_an_order_is_made_total_by_id_in_the_direction_of_its_last_column() -> None:
    name, phase = OrderTerm("name"), OrderTerm("phase", descending=True)

    assert total_order([]) == NEWEST_FIRST
    assert total_order([phase, name]) == (phase, name, OrderTerm("id"))
    assert total_order([name, phase]) == (name, phase, OrderTerm("id", descending=True))
    assert total_order([OrderTerm("id"), name]) == (OrderTerm("id"), name)


@pytest.mark.parametrize(
    ("arguments", "rows", "backward"),
    [
        ({}, 20, False),
        ({"first": 1}, 1, False),
        ({"first": 100}, 100, False),
        ({"last": 7}, 7, True),
        ({"first": None, "last": None}, 20, False),
    ],
)
def test_arguments_make_a_page(arguments: dict, rows: int, backward: bool) -> None:
    page = page_request(where=EVERYTHING, order=NEWEST_FIRST, **arguments)

    assert (page.rows, page.backward, page.position) == (rows, backward, None)


def test_a_cursor_alone_gives_the_direction() -> None:
    cursor = Cursors(EVERYTHING, NEWEST_FIRST).encode(("2026-01-01T00:00:00+00:00", 1))

    after = page_request(where=EVERYTHING, order=NEWEST_FIRST, after=cursor)
    before = page_request(where=EVERYTHING, order=NEWEST_FIRST, before=cursor)

    assert (after.backward, before.backward) == (False, True)
    assert after.position == before.position == ("2026-01-01T00:00:00+00:00", 1)


@pytest.mark.parametrize("rows", [0, -1, 101, 10**9])
def test_a_page_of_no_rows_or_too_many_is_refused(rows: int) -> None:
    for name in ("first", "last"):
        with pytest.raises(InvalidInput, match=f"{name}: must be between 1 and 100"):
            page_request(where=EVERYTHING, order=NEWEST_FIRST, **{name: rows})


def as_text(payload: bytes) -> str:
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode()


def as_bytes(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
