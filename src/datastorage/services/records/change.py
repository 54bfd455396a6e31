"""Changing a locked audit: what updates share with upserts that find one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datastorage.domain.caller import Caller
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.receipt import Receipt, Redaction, Written
from datastorage.domain.remediation import RemediationAudit, RemediationDraft
from datastorage.domain.sameness import same
from datastorage.domain.snapshot import differences
from datastorage.embedding import Vector
from datastorage.errors import RecordConflict
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import incident_text
from datastorage.services.records import events, incident_index
from datastorage.services.unit_of_work import UnitOfWork


def check_version(record: Any, expected_version: int | None, change: Mapping[str, Any]) -> None:
    """Errors: RecordConflict, unless this very change was made before: one version on, all in place."""
    if expected_version is None or expected_version == record.version:
        return
    in_place = all(same(getattr(record, name), value) for name, value in change.items())
    if record.version != expected_version + 1 or not in_place:
        raise RecordConflict(
            f"version is {record.version}, not the expected {expected_version}; read it again", ["version"]
        )


def changes_text(before: Any, after: Any) -> bool:
    """Whether an incident needs another vector; a text that stays was handled when it was new."""
    if not isinstance(before, RemediationDraft) or not isinstance(after, RemediationDraft):
        return False
    return incident_text(after).hash != incident_text(before).hash


async def store_change(
    deps: Dependencies,
    caller: Caller,
    kind: RecordKind[R],
    work: UnitOfWork,
    before: R,
    after: R,
    vectors: Mapping[bytes, Vector],
    redactions: tuple[Redaction, ...],
) -> Written[R]:
    """Stores a locked audit's new fields with the event, words and vector; nothing if it stays as it was."""
    replayed = not differences(kind, before, after)
    text = await incident_index.text_of_locked(work, after)
    hashes = set() if text is None else {text.hash}
    if not replayed:
        after = await work.audits(kind).change(after, {} if text is None else {"content_hash": text.hash})
        await work.events.add_many([events.changed(kind, before, after, caller)])
        if text is not None and isinstance(after, RemediationAudit):
            await incident_index.store_words(work, [after], {after.remediation_request_id: text})
    await incident_index.store_vectors(work, hashes, vectors)
    pending = await incident_index.unindexed(work, hashes, vectors)
    similarity = incident_index.similarity(deps, pending=bool(pending))
    receipt = Receipt(replayed=replayed, similarity=similarity, redactions=redactions)
    return Written(before if replayed else after, receipt)
