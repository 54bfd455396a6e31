"""Whatever a remediation went through, asOf the time of each event it is as it was answered then."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from datastorage.domain.caller import ANONYMOUS
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.errors import DataStorageError
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import RecordKey, create_record, update_record
from datastorage.services.remediation_timeline import find_timeline
from support.api import services_from_sync_tests
from support.records import remediation_row

_keys = itertools.count()
times = st.none() | st.integers(0, 3).map(lambda n: f"2026-01-01T12:00:0{n}.00000{n}Z")
json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-1e15, 1e15)
    | st.text("aé\n ", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(st.text("ab", max_size=2), json, max_size=3)
changes = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from(("PENDING", "PROCESSING", "COMPLETED", "FAILED")),
        "status": st.sampled_from(("SUCCESS", "FAILURE", "PENDING", "RUNNING")),
        "end_time": times,
        "severity": st.sampled_from(("LOW", "HIGH")),
        "target_resource": st.sampled_from(("Pod/x", "ns/Pod/x", "Deployment/y")),
        "error_message": st.none() | st.sampled_from(("boom", "bang")),
        "metadata": st.none() | objects,
        "action_parameters": objects,
    },
)


@pytest.fixture(scope="module")
def services(server_url: URL, template: str) -> Iterator[tuple[BlockingPortal, Dependencies]]:
    with services_from_sync_tests(server_url, template) as opened:
        yield opened


async def lived(
    deps: Dependencies, key: str, first: dict[str, Any], rest: list[dict[str, Any]]
) -> list[RemediationAudit]:
    """What each write that was not refused answered."""
    raw = remediation_row(remediation_request_id=key, **first)
    written = [(await create_record(deps, ANONYMOUS, REMEDIATION, raw)).record]
    for change in rest:
        try:
            done = await update_record(deps, ANONYMOUS, REMEDIATION, RecordKey(key=key), change)
        except DataStorageError:
            continue
        if not done.receipt.replayed:
            written.append(done.record)
    return written


async def check(deps: Dependencies, key: str, first: dict[str, Any], rest: list[dict[str, Any]]) -> None:
    answered = await lived(deps, key, first, rest)
    latest = await find_timeline(deps, ANONYMOUS, key, answered[-1].updated_at.replace(year=2100))
    assert latest is not None
    assert latest.past is not None
    told = sorted(latest.past.events, key=lambda event: event.version)
    assert [event.version for event in told] == [audit.version for audit in answered]
    for event, audit in zip(told, answered, strict=True):
        then = await find_timeline(deps, ANONYMOUS, key, event.recorded_at)
        assert then is not None
        assert then.audit == replace(audit, updated_at=then.audit.updated_at)
        assert then.audit.updated_at >= audit.updated_at
        assert repr(replace(then.audit, updated_at=audit.updated_at)) == repr(audit)  # 1 is not True, nor 1.0


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=changes, rest=st.lists(changes, max_size=8))
def test_as_of_each_event_is_what_was_answered_then(
    services: tuple[BlockingPortal, Dependencies], first: dict[str, Any], rest: list[dict[str, Any]]
) -> None:
    portal, deps = services

    portal.call(check, deps, f"rr-{next(_keys)}", first, rest)
