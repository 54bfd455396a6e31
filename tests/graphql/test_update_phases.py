"""updateRemediationAudit: the phase machine, the status that follows from it, and the events that tell of it."""

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from support.api import Api, opened_api
from support.updates import OwnAudit


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        yield opened


@pytest.fixture
def audit(api: Api) -> OwnAudit:
    return OwnAudit(api)


STATUS = {"PENDING": "PENDING", "PROCESSING": "RUNNING", "COMPLETED": "SUCCESS", "FAILED": "FAILURE"}
ALLOWED = {
    "PENDING": ["PROCESSING", "FAILED"],
    "PROCESSING": ["COMPLETED", "FAILED"],
    "COMPLETED": [],
    "FAILED": ["PROCESSING"],
}
PAIRS = list(itertools.product(STATUS, STATUS))


@pytest.mark.parametrize(("current", "requested"), [pair for pair in PAIRS if pair[1] in ALLOWED[pair[0]]])
async def test_an_allowed_move_is_made_and_the_status_follows(
    audit: OwnAudit, current: str, requested: str
) -> None:
    await audit.create(phase=current)

    moved = await audit.update(phase=requested)

    assert (moved["phase"], moved["status"], moved["version"]) == (requested, STATUS[requested], 2)
    assert moved["receipt"] == {"replayed": False, "similarity": "INDEXED", "redactions": []}
    assert await audit.changes() == [
        (
            "phase_changed",
            2,
            {
                "phase": {"old": current.lower(), "new": requested.lower()},
                "status": {"old": STATUS[current].lower(), "new": STATUS[requested].lower()},
            },
        )
    ]


@pytest.mark.parametrize(
    ("current", "requested"),
    [(now, then) for now, then in PAIRS if now != then and then not in ALLOWED[now]],
)
async def test_another_move_is_refused_and_leaves_no_trace(
    audit: OwnAudit, current: str, requested: str
) -> None:
    await audit.create(phase=current)

    refused = await audit.attempt(phase=requested, errorMessage="unseen")

    ways = (
        f"allowed from {current}: {', '.join(ALLOWED[current])}"
        if ALLOWED[current]
        else f"{current} is final"
    )
    assert refused == {
        "__typename": "InvalidTransitionError",
        "message": f"phase cannot move from {current} to {requested}; {ways}",
        "code": "INVALID_TRANSITION",
        "retryable": False,
        "currentPhase": current,
        "requestedPhase": requested,
        "allowedPhases": ALLOWED[current],
    }
    assert (await audit.stored("version"), await audit.stored("error_message")) == (1, None)
    assert await audit.changes() == []


@pytest.mark.parametrize("phase", STATUS)
async def test_the_same_phase_is_no_move(audit: OwnAudit, phase: str) -> None:
    await audit.create(phase=phase, endTime="2026-01-01T12:00:01Z")

    same = await audit.update(phase=phase, severity="LOW")

    assert (same["phase"], same["severity"], same["endTime"]) == (phase, "LOW", "2026-01-01T12:00:01Z")
    assert await audit.changes() == [("updated", 2, {"severity": {"old": "high", "new": "low"}})]


async def test_a_status_that_is_sent_wins_over_the_derived_one(audit: OwnAudit) -> None:
    await audit.create(phase="PROCESSING")

    assert (await audit.update(phase="COMPLETED", status="FAILURE"))["status"] == "FAILURE"
    assert (await audit.update(status="SUCCESS"))["status"] == "SUCCESS"


async def test_the_whole_life_of_a_remediation_is_in_its_events(audit: OwnAudit) -> None:
    await audit.create()

    await audit.update(phase="PROCESSING")
    failed = await audit.update(phase="FAILED", endTime="2026-01-01T12:00:10Z", errorMessage="no quota")
    retried = await audit.update(phase="PROCESSING")
    done = await audit.update(phase="COMPLETED", endTime="2026-01-01T12:00:30.0005Z", errorMessage=None)

    assert (failed["endTime"], failed["durationMs"]) == ("2026-01-01T12:00:10Z", 10_000)
    assert (retried["endTime"], retried["durationMs"], retried["errorMessage"]) == (None, None, "no quota")
    assert (done["endTime"], done["durationMs"], done["version"]) == (
        "2026-01-01T12:00:30.000500Z",
        30_000,
        5,
    )
    assert [(kind, version, sorted(changes)) for kind, version, changes in await audit.changes()] == [
        ("phase_changed", 2, ["phase", "status"]),
        ("phase_changed", 3, ["end_time", "error_message", "phase", "status"]),
        ("phase_changed", 4, ["end_time", "phase", "status"]),
        ("phase_changed", 5, ["end_time", "error_message", "phase", "status"]),
    ]
    assert (await audit.changes())[2][2]["end_time"] == {"old": "2026-01-01T12:00:10+00:00", "new": None}


async def test_a_phase_move_leaves_the_vector_alone(
    audit: OwnAudit,
    statements: Any,
) -> None:
    await audit.create()
    content_hash = await audit.stored("content_hash")

    with statements.counted() as seen:
        await audit.update(phase="PROCESSING")

    assert await audit.stored("content_hash") == content_hash
    assert not [statement for statement in seen if "INSERT INTO incident_embedding" in statement]
