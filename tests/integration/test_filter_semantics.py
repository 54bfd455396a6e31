"""Random filters keep the rows that a plain evaluation in Python keeps: two-valued logic, nulls included."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from datastorage.domain.caller import ANONYMOUS, EVERYWHERE
from datastorage.domain.enums import Phase, Severity, Status
from datastorage.domain.filters import AllOf, AnyOf, Condition, Filter, Not, Operator
from datastorage.domain.receipt import Written
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.repositories.records import Records
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_records
from support.api import services_from_sync_tests
from support.evaluation import World
from support.records import remediation_row

ROWS_MAX = 60
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES = ("a", "api", "api-gateway", "api-gateway-2", "b", "db", "db.main", "z9")
TEXTS = (
    None,
    "a",
    "A",
    "100%",
    "100 %",
    "file_name",
    "fileXname",
    "C:\\tmp",
    "/var/x",
    "ÄRGER",
    "ärger",
    "it's; --",
)
TARGETS = ("Pod/api", "Pod/db", "Node/n1", "shop/Pod/api", "shop/Deployment/db", "Shop/Deployment/db")


def rows() -> list[dict[str, Any]]:
    """The same rows on every run: few values, so that filters hit and miss, and many nulls."""
    pick = random.Random(1)
    made = []
    for number in range(ROWS_MAX):
        start = START + timedelta(minutes=pick.randrange(10))
        seconds = pick.choice((None, 0, 1, 60))
        made.append(
            remediation_row(
                remediation_request_id=f"rr-{number}",
                name=pick.choice(NAMES),
                phase=pick.choice(list(Phase)),
                status=pick.choice([None, *Status]),
                severity=pick.choice(list(Severity)),
                start_time=start,
                end_time=None if seconds is None else start + timedelta(seconds=seconds),
                target_resource=pick.choice(TARGETS),
                error_message=pick.choice(TEXTS),
                resolution=pick.choice(TEXTS),
            )
        )
    return made


@pytest.fixture(scope="module")
def services(server_url: URL, template: str) -> Iterator[tuple[BlockingPortal, Dependencies]]:
    with services_from_sync_tests(server_url, template) as opened:
        yield opened


@pytest.fixture(scope="module")
def audits(services: tuple[BlockingPortal, Dependencies]) -> list[RemediationAudit]:
    portal, deps = services
    outcomes = portal.call(create_records, deps, ANONYMOUS, REMEDIATION, rows())
    stored = [outcome.record for outcome in outcomes if isinstance(outcome, Written)]
    assert len(stored) == ROWS_MAX
    return stored


EQUALITY = (Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN)
RANGES = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
TEXTUAL = (Operator.CONTAINS, Operator.STARTS_WITH)
MAYBE = (Operator.IS_NULL,)
MOMENTS = [START + timedelta(seconds=seconds) for seconds in (-1, 0, 1, 60, 61, 120, 300, 301, 360, 540, 600)]
COLUMNS: dict[str, tuple[tuple[Operator, ...], Sequence[Any]]] = {
    "name": (EQUALITY + RANGES + TEXTUAL, NAMES),
    "target_name": (EQUALITY + RANGES + TEXTUAL, NAMES),
    "target_namespace": (EQUALITY + TEXTUAL + MAYBE, ("shop", "Shop", "SHOP")),
    "error_message": (EQUALITY + TEXTUAL + MAYBE, TEXTS[1:]),
    "resolution": (EQUALITY + TEXTUAL + MAYBE, TEXTS[1:]),
    "phase": (EQUALITY, list(Phase)),
    "status": (EQUALITY, list(Status)),
    "severity": (EQUALITY, list(Severity)),
    "start_time": (EQUALITY[:2] + RANGES + MAYBE, MOMENTS),
    "end_time": (EQUALITY[:2] + RANGES + MAYBE, MOMENTS),
    "duration_ms": (EQUALITY + RANGES + MAYBE, (-1, 0, 1000, 59_999, 60_000, 2**63 - 1)),
}


def condition(pick: random.Random) -> Condition:
    """A comparison of one column, of whole values or of parts of texts."""
    column = pick.choice(list(COLUMNS))
    operators, values = COLUMNS[column]
    chosen = pick.choice(operators)
    if chosen is Operator.IS_NULL:
        return Condition(column, chosen, pick.random() < 0.5)
    if chosen in (Operator.IN, Operator.NOT_IN):
        return Condition(column, chosen, tuple(pick.choices(values, k=pick.randrange(4))))
    value = pick.choice(values)
    if chosen in TEXTUAL:
        start = 0 if chosen is Operator.STARTS_WITH else pick.randrange(len(value))
        value = pick.choice([str.upper, str.lower, str])(value[start : start + pick.randrange(5)])
    return Condition(column, chosen, value)


def tree(pick: random.Random, levels: int = 4) -> Filter:
    """A filter of conditions and their combinations, empty ones among them."""
    kind = pick.choice([AllOf, AnyOf, Not, condition]) if levels else condition
    if kind is condition:
        return condition(pick)
    if kind is Not:
        return Not(tree(pick, levels - 1))
    return kind(tuple(tree(pick, levels - 1) for _ in range(pick.choice((0, 1, 2, 2, 3)))))


async def kept(deps: Dependencies, where: Filter) -> tuple[list[int], int]:
    """What the database keeps, and how much it counts."""
    async with deps.database.read() as session:
        repository = Records(session, EVERYWHERE, REMEDIATION)
        return sorted(await repository.newest(where, ROWS_MAX + 1)), await repository.count(where, None)


@settings(max_examples=400, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_a_filter_keeps_what_its_meaning_says(
    services: tuple[BlockingPortal, Dependencies], audits: list[RemediationAudit], pick: random.Random
) -> None:
    portal, deps = services
    where = tree(pick)

    ids, counted = portal.call(kept, deps, where)

    expected = sorted(audit.id for audit in audits if World().holds(where, audit))
    assert (ids, counted) == (expected, len(expected)), where


@settings(max_examples=50, deadline=None)
@given(pick=st.randoms(use_true_random=True))
def test_a_filter_and_its_negation_share_all_rows(
    services: tuple[BlockingPortal, Dependencies], audits: list[RemediationAudit], pick: random.Random
) -> None:
    portal, deps = services
    where = tree(pick)

    ids, _ = portal.call(kept, deps, where)
    others, _ = portal.call(kept, deps, Not(where))

    assert sorted(ids + others) == sorted(audit.id for audit in audits), where
