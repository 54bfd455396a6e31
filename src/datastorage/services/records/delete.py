"""Deleting remediation audits: rows, the contents of their events, and vectors nobody else refers to."""

from __future__ import annotations

from collections.abc import Sequence

from datastorage.domain.caller import Caller, Right
from datastorage.domain.enums import SubjectKind
from datastorage.domain.remediation import REMEDIATION
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import events
from datastorage.services.unit_of_work import failures_counted, unit_of_work


async def delete_remediations(deps: Dependencies, caller: Caller, request_ids: Sequence[str]) -> int:
    """Deletes what the caller sees of these; says how many. One event without content stays of each.

    Errors: Forbidden, Unavailable.
    """
    caller.require(Right.ADMIN)
    with failures_counted():
        return await _delete(deps, caller, request_ids)


async def _delete(deps: Dependencies, caller: Caller, request_ids: Sequence[str]) -> int:
    async with unit_of_work(deps, caller) as work:
        hashes = await work.texts.hashes(request_ids)
        gone = await work.audits(REMEDIATION).delete(sorted(request_ids))
        keys = [audit.remediation_request_id for audit in gone]
        if keys:
            await work.events.forget(SubjectKind.REMEDIATION, keys)
            await work.events.add_many([events.deleted(REMEDIATION, audit, caller) for audit in gone])
            await work.embeddings.remove_unused(hashes)
        await work.commit()
    return len(gone)
