"""Changing a remediation audit: phase moves and fields, under optimistic concurrency.

The vector is found before the transaction opens, from the row as it is then; should another writer change
the text in between, the new text is written without its vector rather than holding a lock while embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datastorage.domain.caller import Caller, Right
from datastorage.domain.enums import Similarity
from datastorage.domain.receipt import Receipt, Redaction, Written
from datastorage.domain.remediation import RemediationAudit, apply_change, parse_change
from datastorage.embedding import Vector
from datastorage.errors import RecordConflict, RecordNotFound
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import incident_text
from datastorage.services.redaction_receipt import redacted
from datastorage.services.remediations import events
from datastorage.services.remediations.accounting import accounted
from datastorage.services.remediations.read import RemediationKey, find
from datastorage.services.unit_of_work import UnitOfWork, unit_of_work


async def update_remediation(
    deps: Dependencies,
    caller: Caller,
    key: RemediationKey,
    raw: Mapping[str, Any],
    expected_version: int | None = None,
) -> Written[RemediationAudit]:
    """Changes the fields sent.

    Errors: InvalidInput, RecordNotFound, RecordConflict, InvalidTransition, Forbidden, Unavailable.
    """
    caller.require(Right.WRITE)
    with accounted(1) as tally:
        change, redactions = redacted(parse_change(raw), deps.redactor)
        current = await _current(deps, caller, key)
        _check_version(current, change, expected_version)  # an outdated move is a conflict, allowed or not
        vectors = await _vectors(deps, current, change)
        async with unit_of_work(deps, caller) as work:
            written = await _change(
                deps, caller, work, current.id, change, redactions, expected_version, vectors
            )
            await work.commit()
        tally.outcomes = [written]
    return written


async def _current(deps: Dependencies, caller: Caller, key: RemediationKey) -> RemediationAudit:
    async with deps.database.primary() as session:
        audit = await find(session, caller, key)
    if audit is None:
        raise RecordNotFound(f"no remediation audit with {key.describe()}")
    return audit


async def _vectors(
    deps: Dependencies, current: RemediationAudit, change: Mapping[str, Any]
) -> dict[bytes, Vector]:
    """The vector of the changed text; none when the text stays, since it was handled when it was new."""
    before, after = incident_text(current), incident_text(apply_change(current, change))
    return {} if before.hash == after.hash else await deps.embedder.vectors({after.hash: after.text})


async def _change(
    deps: Dependencies,
    caller: Caller,
    work: UnitOfWork,
    row_id: int,
    change: Mapping[str, Any],
    redactions: tuple[Redaction, ...],
    expected_version: int | None,
    vectors: Mapping[bytes, Vector],
) -> Written[RemediationAudit]:
    before = await work.audits.locked(row_id)
    if before is None:
        raise RecordNotFound("the remediation audit was deleted meanwhile")
    _check_version(before, change, expected_version)
    after = apply_change(before, change)
    content_hash = incident_text(after).hash
    replayed = after == before
    if not replayed:
        after = await work.audits.change(after, content_hash)
        await work.events.add_many([events.changed(before, after, caller)])
    if content_hash in vectors:  # and not that of a text which another writer has replaced
        await work.embeddings.add_many({content_hash: vectors[content_hash]})
    known = content_hash in vectors or content_hash in await work.embeddings.known([content_hash])
    similarity = Similarity.INDEXED if known else deps.embedder.without_vector
    return Written(after, Receipt(replayed=replayed, similarity=similarity, redactions=redactions))


def _check_version(audit: RemediationAudit, change: Mapping[str, Any], expected_version: int | None) -> None:
    """Errors: RecordConflict, unless this very update was applied before: one version on, all fields in place."""
    if expected_version is None or expected_version == audit.version:
        return
    in_place = all(getattr(audit, name) == value for name, value in change.items())
    if audit.version != expected_version + 1 or not in_place:
        raise RecordConflict(
            f"version is {audit.version}, not the expected {expected_version}; read it again", ["version"]
        )
