"""Walking a list page by page, in any order and either direction, visits each row exactly once."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from datastorage.domain.caller import ANONYMOUS, EVERYWHERE
from datastorage.domain.enums import Severity
from datastorage.domain.filters import Condition, Operator
from datastorage.domain.paging import Order, OrderTerm, page_request, total_order
from datastorage.domain.remediation import REMEDIATION, RemediationAudit, RemediationDraft
from datastorage.repositories.records import RecordsWriter
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import list_records
from support.api import services_from_sync_tests
from support.records import remediation_row

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAGES_MAX = 50
_lists = itertools.count()
_keys = itertools.count()

COLUMNS = (
    "id",
    "name",
    "namespace",
    "phase",
    "severity",
    "start_time",
    "end_time",
    "duration_ms",
    "created_at",
)


def record(pick: random.Random) -> dict[str, Any]:
    """Few values, so that most columns tie and the next one, or the id, has to decide; and many nulls."""
    ended = pick.choice((None, 1, 2))
    return {
        "name": pick.choice(("a", "a-b", "b")),
        "namespace": pick.choice("xy"),
        "phase": pick.choice(("pending", "failed")),
        "severity": pick.choice(("low", "high", "critical")),
        "start_time": START + timedelta(microseconds=pick.randrange(3)),
        "end_time": None if ended is None else START + timedelta(seconds=ended),
    }


def an_order(pick: random.Random) -> Order:
    """Some columns, each with its direction and its place for nulls."""
    columns = pick.sample(COLUMNS, k=pick.randint(1, 4))
    return total_order([OrderTerm(column, pick.random() < 0.5, pick.random() < 0.5) for column in columns])


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
        held.sort(key=lambda row, column=term.column: weight(row, column), reverse=term.descending)
        rows = absent + held if term.nulls_first else held + absent
    return [row.id for row in rows]


def weight(row: RemediationAudit, column: str) -> Any:
    value = getattr(row, column)
    return -list(Severity).index(value) if column == "severity" else value


class Listed:
    """Rows of one example, told apart from those of the others by their cluster."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps, self._cluster = deps, f"cluster-{next(_lists)}"

    async def insert(self, records: Sequence[dict[str, Any]]) -> list[RemediationAudit]:
        """Writes rows."""
        drafts = [
            RemediationDraft.parse(
                remediation_row(
                    **record, cluster_name=self._cluster, remediation_request_id=f"rr-{next(_keys)}"
                )
            )
            for record in records
        ]
        ids = await self._deps.ids["RemediationAudit"].take(len(drafts))
        rows = [
            {**asdict(draft), "id": row_id, "content_hash": bytes(32)}
            for row_id, draft in zip(ids, drafts, strict=True)
        ]
        async with self._deps.database.write() as session:
            stored = await RecordsWriter(session, EVERYWHERE, REMEDIATION).add_many(rows)
            await session.commit()
        return stored

    async def walk(
        self, order: Order, rows: int, *, backward: bool, between: Sequence[dict[str, Any]] = ()
    ) -> list[int]:
        """Ids in the order of the list, page by page; before each page but the first a row is inserted."""
        seen: list[int] = []
        cursor = None
        arriving = iter(between)
        for _ in range(PAGES_MAX):
            page = await list_records(
                self._deps,
                ANONYMOUS,
                REMEDIATION,
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
            for record in itertools.islice(arriving, 1):
                await self.insert([record])
        raise AssertionError(f"no end after {PAGES_MAX} pages")


@settings(max_examples=60, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_both_directions_visit_each_row_once_in_the_same_order(
    services: tuple[BlockingPortal, Dependencies], pick: random.Random
) -> None:
    portal, deps = services
    listed, order, rows = Listed(deps), an_order(pick), pick.randint(1, 5)
    stored = portal.call(listed.insert, [record(pick) for _ in range(pick.randint(5, 12))])

    async def walks() -> tuple[list[int], list[int]]:
        return await listed.walk(order, rows, backward=False), await listed.walk(order, rows, backward=True)

    forward, backward = portal.call(walks)

    assert forward == in_order(stored, order), order
    assert backward == forward, order


@settings(max_examples=40, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_rows_inserted_meanwhile_make_no_other_row_skipped_or_repeated(
    services: tuple[BlockingPortal, Dependencies], pick: random.Random
) -> None:
    portal, deps = services
    listed, order, rows, backward = Listed(deps), an_order(pick), pick.randint(1, 3), pick.random() < 0.5
    stored = portal.call(listed.insert, [record(pick) for _ in range(8)])
    between = [record(pick) for _ in range(6)]

    async def walk() -> list[int]:
        return await listed.walk(order, rows, backward=backward, between=between)

    seen = portal.call(walk)

    ours = {audit.id for audit in stored}
    assert [row_id for row_id in seen if row_id in ours] == in_order(stored, order), order
    assert len(set(seen)) == len(seen), order
