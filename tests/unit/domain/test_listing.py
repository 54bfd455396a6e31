"""Pages held in memory: walking them is slicing the ordered list."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.domain.cursor import Cursors
from datastorage.domain.enums import SubjectKind
from datastorage.domain.filters import EVERYTHING
from datastorage.domain.kind import RecordKind
from datastorage.domain.listing import in_order, page_of
from datastorage.domain.paging import Order, OrderTerm, page_request, total_order
from datastorage.errors import BadCursor

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Thing:
    id: int
    start_time: datetime
    end_time: datetime | None
    name: str
    remediation_request_id: str | None = None
    namespace: str | None = None
    cluster_name: str | None = None


KIND = RecordKind(
    subject=SubjectKind.REMEDIATION,
    type_name="Thing",
    label="thing",
    key="name",
    record=Thing,
    parse=lambda raw: raw,
    draft_fields=(),
    input_fields=(),
)
moments = st.integers(0, 2).map(lambda n: START + timedelta(microseconds=n))
things = st.lists(
    st.builds(
        Thing,
        id=st.integers(1, 1000),
        start_time=moments,
        end_time=st.none() | moments,
        name=st.sampled_from(("a", "B", "é")),
    ),
    max_size=12,
    unique_by=lambda thing: thing.id,
)
terms = st.builds(
    OrderTerm, st.sampled_from(("id", "start_time", "end_time", "name")), st.booleans(), st.booleans()
)
orders = st.lists(terms, max_size=4, unique_by=lambda term: term.column).map(total_order)


def compared(order: Order) -> object:
    """The order as a comparison of two rows, spelled out."""

    def compare(left: Thing, right: Thing) -> int:
        for term in order:
            a, b = getattr(left, term.column), getattr(right, term.column)
            if a == b:
                continue
            if a is None or b is None:
                return -1 if (a is None) is term.nulls_first else 1
            return -1 if (a < b) is not term.descending else 1
        return 0

    return cmp_to_key(compare)


@given(rows=things, order=orders)
def test_rows_come_in_their_order(rows: list[Thing], order: Order) -> None:
    assert in_order(rows, order) == sorted(rows, key=compared(order))


@given(rows=things, order=orders, size=st.integers(1, 5), data=st.data())
async def test_a_page_is_a_slice(rows: list[Thing], order: Order, size: int, data: st.DataObject) -> None:
    ordered = sorted(rows, key=compared(order))
    place = data.draw(st.integers(0, len(rows)))
    cursors = Cursors(EVERYTHING, order)

    def cursor(index: int) -> str | None:
        if not 0 <= index < len(ordered):
            return None
        return cursors.encode(tuple(getattr(ordered[index], term.column) for term in order))

    after = cursor(place - 1)
    forward = page_of(KIND, rows, page_request(where=EVERYTHING, order=order, first=size, after=after))
    before = cursor(place)
    end = place if before else len(ordered)
    backward = page_of(KIND, rows, page_request(where=EVERYTHING, order=order, last=size, before=before))

    assert forward.nodes == ordered[place : place + size]
    assert forward.page_info.has_next_page is (len(ordered) > place + size)
    assert backward.nodes == ordered[max(0, end - size) : end]
    assert backward.page_info.has_previous_page is (end > size)
    assert await forward.count(None) == len(rows)
    assert await forward.count(3) == min(3, len(rows))


@pytest.mark.parametrize("values", [("2026", 1), (None, 1), ("2026-01-01T00:00:00Z", True), (1, 1)])
def test_values_of_a_wrong_type_are_no_cursor(values: tuple) -> None:
    order = total_order(())
    request = page_request(
        where=EVERYTHING, order=order, first=1, after=Cursors(EVERYTHING, order).encode(values)
    )

    with pytest.raises(BadCursor):
        page_of(KIND, [], request)
