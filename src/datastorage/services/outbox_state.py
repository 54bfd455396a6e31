"""How the outbox stands: shown in the gauges while the service runs, and by the commands `datastorage outbox …`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from datastorage.domain.enums import OutboxKind
from datastorage.limits import OUTBOX_STATE_EVERY_S, PARKED_TOLD_MAX
from datastorage.observability.labels import OutboxEntry
from datastorage.observability.metrics import show_outbox
from datastorage.repositories import outbox
from datastorage.repositories.outbox import Parked
from datastorage.repositories.outbox_standing import Backlog, backlogs, make_due
from datastorage.services.background import running
from datastorage.services.dependencies import Dependencies


@dataclass(frozen=True, slots=True)
class Given:
    """The entries of one kind and model, and the newest of those given up."""

    backlog: Backlog
    parked: list[Parked]


async def outbox_state(deps: Dependencies) -> list[Given]:
    """Everything there is. Errors: Unavailable."""
    async with deps.database.primary() as session:
        return [
            Given(backlog, await outbox.parked(session, backlog.kind, backlog.model, PARKED_TOLD_MAX))
            for backlog in await backlogs(session)
        ]


async def retry(deps: Dependencies, kinds: Collection[OutboxKind]) -> int:
    """Has everything of these kinds tried at once, also what was given up; returns how many. Errors: Unavailable."""
    async with deps.database.write() as session:
        changed = await make_due(session, kinds)
        await session.commit()
    return changed


def showing_outbox(deps: Dependencies) -> AbstractAsyncContextManager[None]:
    """Keeps the gauges of the outbox current while the service runs."""
    return running("outbox gauges", partial(show, deps), partial(asyncio.sleep, OUTBOX_STATE_EVERY_S))


async def show(deps: Dependencies) -> None:
    """Sets the gauges. Errors: Unavailable."""
    async with deps.database.read() as session:
        found = await backlogs(session)
    for kind in OutboxKind:
        of_kind = [backlog for backlog in found if backlog.kind is kind]
        show_outbox(
            OutboxEntry(kind.value),
            sum(backlog.waiting for backlog in of_kind),
            max((backlog.oldest_age_s for backlog in of_kind), default=0.0),
        )
