"""Random filters keep the rows that a plain evaluation in Python keeps: two-valued logic, nulls included."""

import operator
import random
from collections.abc import Callable, Iterator
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
from datastorage.domain.enums import Phase, Severity, Status
from datastorage.domain.filters import AllOf, AnyOf, Condition, Filter, Not, Operator
from datastorage.domain.receipt import Written
from datastorage.domain.remediation import RemediationAudit
from datastorage.repositories.remediation_audits import RemediationAudits
from datastorage.services.dependencies import Dependencies
from datastorage.services.remediations import create_remediations

ROWS_MAX = 60
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES = ("a", "api", "api-gateway", "api-gateway-2", "b", "db", "db.main", "z9")
TEXTS = (None, "a", "A", "100%", "100 %", "file_name", "fileXname", "C:\\tmp", "/tmp/x", "ÄRGER", "ärger, groß", "it's; --")
TARGETS = ("Pod/api", "Pod/db", "Node/n1", "shop/Pod/api", "shop/Deployment/db", "Shop/Deployment/db")
NAMESPACES = (None, "shop", "Shop")


def rows() -> list[dict[str, Any]]:
    """The same rows on every run: few values, so that filters hit and miss, and many nulls."""
    pick = random.Random(1)  # noqa: S311 -- test data
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
    outcomes = portal.call(create_remediations, deps, ANONYMOUS, rows())
    stored = [outcome.record for outcome in outcomes if isinstance(outcome, Written)]
    assert len(stored) == ROWS_MAX
    return stored


EQUALITY = (Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN)
RANGES = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
TEXTUAL = (Operator.CONTAINS, Operator.STARTS_WITH)

# Letters of one case folding only, and everything that SQL's patterns give a meaning to.
FRAGMENTS = st.sampled_from([*filter(None, TEXTS), *NAMES]).flatmap(
    lambda text: st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(
        lambda ends: text[min(ends) : max(ends)]
    )
) | st.text("aApPiIxX019%_\\/'- Ää", max_size=4)
MOMENTS = st.integers(-1, 11).map(lambda minutes: START + timedelta(minutes=minutes)) | st.integers(0, 70).map(
    lambda seconds: START + timedelta(seconds=seconds)
)
NUMBERS = st.sampled_from([0, 1000, 60_000]) | st.integers(-(2**63) + 1, 2**63 - 1)


def conditions(column: str, operators: tuple[Operator, ...], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Filter]:
    """Comparisons of one column."""
    return st.sampled_from(operators).flatmap(
        lambda chosen: st.builds(Condition, st.just(column), st.just(chosen), operands(chosen, values))
    )


def operands(chosen: Operator, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    if chosen in (Operator.IN, Operator.NOT_IN):
        return st.lists(values, max_size=4).map(tuple)
    return st.booleans() if chosen is Operator.IS_NULL else values


CONDITIONS = st.one_of(
    *(
        conditions(column, (*EQUALITY, *RANGES, *TEXTUAL), st.sampled_from(NAMES) | FRAGMENTS)
        for column in ("name", "target_name", "target_kind")
    ),
    *(
        conditions(column, (*EQUALITY, *TEXTUAL, Operator.IS_NULL), st.sampled_from(TEXTS[1:]) | FRAGMENTS)
        for column in ("error_message", "resolution")
    ),
    conditions("target_namespace", (*EQUALITY, *TEXTUAL, Operator.IS_NULL), st.sampled_from(NAMESPACES[1:]) | FRAGMENTS),
    *(
        conditions(column, EQUALITY, st.sampled_from(list(kind)))
        for column, kind in (("phase", Phase), ("status", Status), ("severity", Severity))
    ),
    *(
        conditions(column, (Operator.EQ, Operator.NE, *RANGES, Operator.IS_NULL), MOMENTS)
        for column in ("start_time", "end_time", "created_at")
    ),
    conditions("duration_ms", (*EQUALITY, *RANGES, Operator.IS_NULL), NUMBERS),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    CONDITIONS,
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(tuple).map(AllOf),
        st.lists(parts, max_size=3).map(tuple).map(AnyOf),
        parts.map(Not),
    ),
    max_leaves=12,
)

COMPARED: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.CONTAINS: lambda held, value: value.lower() in held.lower(),
    Operator.STARTS_WITH: lambda held, value: held.lower().startswith(value.lower()),
    Operator.IN: lambda held, values: held in values,
}


def holds(where: Filter, audit: RemediationAudit) -> bool:
    """What a filter means."""
    match where:
        case AllOf(parts):
            return all(holds(part, audit) for part in parts)
        case AnyOf(parts):
            return any(holds(part, audit) for part in parts)
        case Not(part):
            return not holds(part, audit)
        case Condition(column, Operator.IS_NULL, absent):
            return (getattr(audit, column) is None) is absent
        case Condition(column, Operator.NE, value):
            return getattr(audit, column) != value
        case Condition(column, Operator.NOT_IN, values):
            return getattr(audit, column) not in values
        case Condition(column, comparison, value):
            held = getattr(audit, column)
            return held is not None and COMPARED[comparison](held, value)


async def kept(deps: Dependencies, where: Filter) -> tuple[list[int], int]:
    """What the database keeps, and how much it counts."""
    async with deps.database.read() as session:
        repository = RemediationAudits(session, EVERYWHERE)
        return sorted(await repository.newest(where, ROWS_MAX + 1)), await repository.count(where, None)


@settings(max_examples=300, deadline=None)
@given(where=FILTERS)
def test_a_filter_keeps_what_its_meaning_says(
    services: tuple[BlockingPortal, Dependencies], audits: list[RemediationAudit], where: Filter
) -> None:
    portal, deps = services

    ids, counted = portal.call(kept, deps, where)

    expected = sorted(audit.id for audit in audits if holds(where, audit))
    assert (ids, counted) == (expected, len(expected))


@settings(max_examples=50, deadline=None)
@given(where=FILTERS)
def test_a_filter_and_its_negation_share_all_rows(
    services: tuple[BlockingPortal, Dependencies], audits: list[RemediationAudit], where: Filter
) -> None:
    portal, deps = services

    ids, _ = portal.call(kept, deps, where)
    others, _ = portal.call(kept, deps, Not(where))

    assert sorted(ids + others) == sorted(audit.id for audit in audits)
