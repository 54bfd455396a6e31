"""Deleting remediations with all around them, and what was told of them. The service may go on meanwhile.

Each batch is a transaction of its own, so that a delete that broke off is simply repeated. What arrives for a
remediation while it is being deleted stays, as if the remediation had never been there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.caller import EVERYWHERE, Caller, Right
from datastorage.domain.enums import SubjectKind
from datastorage.domain.execution import EXECUTION
from datastorage.domain.filters import Filter, asks_for_nothing
from datastorage.domain.kind import RecordKind
from datastorage.domain.kinds import KINDS
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.domain.workflow import WORKFLOW
from datastorage.errors import Forbidden, InvalidInput
from datastorage.limits import DELETE_BATCH_REQUESTS
from datastorage.repositories.selected_records import SelectedRecords
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import events
from datastorage.services.unit_of_work import UnitOfWork, failures_counted, unit_of_work
from datastorage.services.unused_vectors import remove_unused_vectors

Counts: TypeAlias = Mapping[SubjectKind, int]
# Executions before the workflows that lead to them.
AROUND: Final[tuple[RecordKind[Any], ...]] = (EXECUTION, WORKFLOW, ANALYSIS)


async def count_to_delete(deps: Dependencies, caller: Caller, selection: Selection) -> Counts:
    """How many records of each kind a delete would remove now. Errors: Forbidden, InvalidInput, Unavailable."""
    _check(caller, selection)
    async with deps.database.export() as session:
        return {
            kind.subject: await SelectedRecords(session, caller.scope, kind).count(selection)
            for kind in KINDS
        }


async def delete_remediations(
    deps: Dependencies, caller: Caller, selection: Selection
) -> AsyncIterator[Counts]:
    """Deletes what is selected, by request ids or by a filter, and tells how many records of each kind went.

    By request ids it also removes what names a remediation that never arrived. One event without content stays
    of each record, and no vector that no incident has. Errors: Forbidden, InvalidInput, Unavailable.
    """
    _check(caller, selection)
    async for request_ids in _batches(deps, caller, selection):
        with failures_counted():
            async with unit_of_work(deps, caller) as work:
                gone = await _delete(work, caller, request_ids, selection.around)
                await work.commit()
        yield gone
    await remove_unused_vectors(deps)


def _check(caller: Caller, selection: Selection) -> None:
    caller.require(Right.ADMIN)
    if caller.scope != EVERYWHERE:  # what is around a remediation may lie anywhere
        raise Forbidden(f"{caller.principal} sees only a part of the records, and may delete none")
    if selection.own:  # what is around a remediation goes with it, whatever its own fields say
        raise InvalidInput.single("own", "a delete takes request ids or a filter of remediations")
    if selection.around is not None and asks_for_nothing(selection.around):
        raise InvalidInput.single("filter", "asks for nothing in particular, which would delete everything")
    selection.check()


async def _batches(deps: Dependencies, caller: Caller, selection: Selection) -> AsyncIterator[Sequence[str]]:
    if selection.around is None:
        request_ids = sorted(set(selection.request_ids or ()))
        for start in range(0, len(request_ids), DELETE_BATCH_REQUESTS):
            yield request_ids[start : start + DELETE_BATCH_REQUESTS]
        return
    async with deps.database.primary() as session:
        last = await SelectedRecords(session, caller.scope, REMEDIATION).last_id()  # what comes later stays
    after = 0
    while batch := await _next(deps, caller, selection, after, last):
        yield list(batch.values())
        after = max(batch)


async def _next(
    deps: Dependencies, caller: Caller, selection: Selection, after: int, last: int
) -> dict[int, str]:
    async with deps.database.primary() as session:
        remediations = SelectedRecords(session, caller.scope, REMEDIATION)
        return await remediations.keys(selection, after, last, DELETE_BATCH_REQUESTS)


async def _delete(
    work: UnitOfWork, caller: Caller, request_ids: Sequence[str], where: Filter | None
) -> Counts:
    """One batch; a remediation that no longer fits the filter stays, with all around it."""
    # As every writer of a root cause does, so that none is told of a remediation that is going.
    await work.texts.lock(request_ids)
    these = Selection(request_ids=tuple(request_ids), around=where)
    gone = {REMEDIATION.subject: await work.selected(REMEDIATION).delete(these)}
    if where is not None:
        request_ids = [row.remediation_request_id for row in gone[REMEDIATION.subject]]
    for kind in AROUND:
        gone[kind.subject] = await work.selected(kind).delete(Selection(request_ids=tuple(request_ids)))
    for kind in KINDS:
        if rows := gone[kind.subject]:
            await work.events.forget(kind.subject, [kind.key_of(row) for row in rows])
            await work.events.add_many([events.deleted(kind, row, caller) for row in rows])
    hashes = {row.content_hash for row in gone[REMEDIATION.subject]}
    await work.embeddings.remove_unused(hashes)
    await work.outbox.remove_unneeded(hashes)
    return {subject: len(rows) for subject, rows in gone.items()}
