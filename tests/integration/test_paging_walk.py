"""Walking a list page by page, in any order and either direction, visits each row exactly once."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL
from support.api import services_from_sync_tests
from support.records import remediation_row

from datastorage.domain.caller import ANONYMOUS, EVERYWHERE
from datastorage.domain.filters import Condition, Operator
from datastorage.domain.paging import Order, OrderTerm, page_request, total_order
from datastorage.domain.remediation import RemediationAudit, RemediationDraft
from datastorage.repositories.remediation_audits import RemediationAudits
from datastorage.services.dependencies import Dependencies
from datastorage.services.remediations import list_remediations

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
_lists = itertools.count()
_keys = itertools.count()

# Few values, so that most columns tie and the next one, or the id, has to decide.
RECORDS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "a-b", "b"]),
        "namespace": st.sampled_from(["x", "y"]),
        "phase": st.sampled_from(["pending", "failed"]),
        "severity": st.sampled_from(["low", "high"]),
        "start_time": st.integers(0, 2).map(lambda microseconds: START + timedelta(microseconds=microseconds)),
        "end_time": st.none() | st.integers(1, 2).map(lambda seconds: START + timedelta(seconds=seconds)),
    }
)
COLUMNS = ("id", "name", "namespace", "phase", "severity", "start_time", "end_time", "duration_ms", "created_at")
ORDERS = st.lists(
    st.builds(OrderTerm, st.sampled_from(COLUMNS), st.booleans(), st.booleans()),
    max_size=4,
    unique_by=lambda term: term.column,
).map(total_order)


@pytest.fixture(scope="module")
def services(server_url: URL, template: str) -> Iterator[tuple[BlockingPortal, Dependencies]]:
    with services_from_sync_tests(server_url, template) as opened:
        yield opened


def in_order(audits: Sequence[RemediationAudit], order: Order) -> list[int]:
    """What an order means: columns sorted from the least to the most weighty, absent values put aside."""
    rows = list(audits)
    for term in reversed(order):
        held = [row for row in rows if getattr(row, term.column) is not None]
        absent = [row for row in rows if getattr(row, term.column) is None]
        held.sort(key=lambda row, column=term.column: getattr(row, column), reverse=term.descending)
        rows = absent + held if term.nulls_first else held + absent
    return [row.id for row in rows]


class Listed:
    """Rows of one example, told apart from those of the others by their cluster."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps, self._cluster = deps, f"cluster-{next(_lists)}"

    async def insert(self, records: Sequence[dict[str, Any]]) -> list[RemediationAudit]:
        """Writes rows."""
        if not records:
            return []
        drafts = [
            RemediationDraft.parse(
                remediation_row(
                    **record, cluster_name=self._cluster, remediation_request_id=f"rr-{next(_keys)}"
                )
            )
            for record in records
        ]
        ids = await self._deps.remediation_ids.take(len(drafts))
        rows = [
            {**asdict(draft), "id": row_id, "content_hash": bytes(32)}
            for row_id, draft in zip(ids, drafts, strict=True)
        ]
        async with self._deps.database.write() as session:
            stored = await RemediationAudits(session, EVERYWHERE).add_many(rows)
            await session.commit()
        return stored

    async def walk(
        self, order: Order, rows: int, *, backward: bool, between: Sequence[dict[str, Any]] = ()
    ) -> list[int]:
        """Ids in the order of the list, page by page; before each page but the first a row is inserted."""
        seen: list[int] = []
        cursor = None
        arriving = iter(between)
        while True:
            page = await list_remediations(
                self._deps,
                ANONYMOUS,
                page_request(
                    where=Condition("cluster_name", Operator.EQ, self._cluster),
                    order=order,
                    **({"last": rows, "before": cursor} if backward else {"first": rows, "after": cursor}),
                ),
            )
            ids = [audit.id for audit in page.nodes]
            seen = ids + seen if backward else seen + ids
            info = page.page_info
            if not (info.has_previous_page if backward else info.has_next_page):
                return seen
            assert len(ids) == rows  # only the last page may be short
            cursor = info.start_cursor if backward else info.end_cursor
            await self.insert([record for _, record in zip(range(1), arriving, strict=False)])


@settings(max_examples=60, deadline=None)
@given(records=st.lists(RECORDS, max_size=12), order=ORDERS, rows=st.integers(1, 5))
def test_both_directions_visit_each_row_once_in_the_same_order(
    services: tuple[BlockingPortal, Dependencies], records: list[dict[str, Any]], order: Order, rows: int
) -> None:
    portal, deps = services
    listed = Listed(deps)
    stored = portal.call(listed.insert, records)

    async def walks() -> tuple[list[int], list[int]]:
        return await listed.walk(order, rows, backward=False), await listed.walk(order, rows, backward=True)

    forward, backward = portal.call(walks)

    assert forward == in_order(stored, order)
    assert backward == forward


@settings(max_examples=40, deadline=None)
@given(
    records=st.lists(RECORDS, min_size=2, max_size=10),
    between=st.lists(RECORDS, min_size=1, max_size=10),
    order=ORDERS,
    rows=st.integers(1, 3),
    backward=st.booleans(),
)
def test_rows_inserted_meanwhile_make_no_other_row_skipped_or_repeated(
    services: tuple[BlockingPortal, Dependencies],
    records: list[dict[str, Any]],
    between: list[dict[str, Any]],
    order: Order,
    rows: int,
    backward: bool,  # noqa: FBT001 -- drawn by hypothesis
) -> None:
    portal, deps = services
    listed = Listed(deps)
    stored = portal.call(listed.insert, records)

    async def walk() -> list[int]:
        return await listed.walk(order, rows, backward=backward, between=between)

    seen = portal.call(walk)

    ours = {audit.id for audit in stored}
    assert [row_id for row_id in seen if row_id in ours] == in_order(stored, order)
    assert len(set(seen)) == len(seen)
