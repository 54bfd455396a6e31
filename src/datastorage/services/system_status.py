"""How the service and what it depends on stand, for administrators. Called by the query `systemStatus`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from datastorage import __version__
from datastorage.domain.caller import Caller, Right
from datastorage.domain.enums import OutboxKind
from datastorage.errors import DataStorageError
from datastorage.repositories.outbox_standing import Backlog, backlogs
from datastorage.resilience import CircuitName, CircuitState, circuit_states
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import CHECK_TIMEOUT_S
from datastorage.services.second_engine import EngineMode, SecondEngine


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """The vector engine beside PostgreSQL."""

    configured: bool
    available: bool
    since: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """What waits in the outbox to have one thing done."""

    kind: OutboxKind
    waiting: int
    leased: int
    parked: int
    oldest_age_s: float | None


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit breaker of this process."""

    name: CircuitName
    state: CircuitState


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """Everything, as this process sees it."""

    version: str
    mode: EngineMode
    database_up: bool
    vector_engine: EngineStatus
    outbox: list[OutboxStatus] | None  # None while the database does not answer
    embedding_model: str | None
    circuits: list[Circuit]


async def system_status(deps: Dependencies, caller: Caller) -> SystemStatus:
    """Answers also while the database does not. Errors: Forbidden."""
    caller.require_everywhere(Right.ADMIN)
    found = await _backlogs(deps)
    return SystemStatus(
        version=__version__,
        mode=deps.second.mode,
        database_up=found is not None,
        vector_engine=_engine_status(deps.second),
        outbox=None if found is None else [_outbox_status(kind, found) for kind in OutboxKind],
        embedding_model=deps.embedder.model or None,
        circuits=[Circuit(name, state) for name, state in circuit_states().items()],
    )


async def _backlogs(deps: Dependencies) -> list[Backlog] | None:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S * 3), deps.database.probe() as session:
            return await backlogs(session)
    except (DataStorageError, TimeoutError):
        return None


def _engine_status(second: SecondEngine) -> EngineStatus:
    return EngineStatus(
        configured=second.configured,
        available=second.available,
        since=second.since if second.configured else None,
        reason=second.reason,
    )


def _outbox_status(kind: OutboxKind, found: Sequence[Backlog]) -> OutboxStatus:
    """Of all models together."""
    ours = [backlog for backlog in found if backlog.kind is kind]
    return OutboxStatus(
        kind,
        waiting=sum(backlog.waiting for backlog in ours),
        leased=sum(backlog.leased for backlog in ours),
        parked=sum(backlog.parked for backlog in ours),
        oldest_age_s=max((backlog.oldest_age_s for backlog in ours if backlog.waiting), default=None),
    )
