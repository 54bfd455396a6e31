"""Creating remediation audits: validate, redact, embed, then one unit of work for all of them.

A create is idempotent by its request id, see `replay`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from datastorage.db.faults import sqlstate
from datastorage.domain.caller import Caller, Right
from datastorage.domain.enums import Similarity
from datastorage.domain.receipt import Receipt, Redaction, Written
from datastorage.domain.remediation import REDACTED_JSON, REDACTED_TEXT, RemediationAudit, RemediationDraft
from datastorage.embedding import Vector
from datastorage.errors import DataStorageError, Forbidden, InvalidInput
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import IncidentText, incident_text
from datastorage.services.redaction_receipt import redacted
from datastorage.services.remediations import events
from datastorage.services.remediations.accounting import Outcome, accounted
from datastorage.services.remediations.replay import Replayer
from datastorage.services.unit_of_work import unit_of_work

_REDACTED: Final = (*REDACTED_TEXT, *REDACTED_JSON)
_DRAFT_FIELDS: Final = tuple(RemediationDraft.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A create that is ready to be written."""

    draft: RemediationDraft
    redactions: tuple[Redaction, ...]
    text: IncidentText

    def row(self, row_id: int) -> dict[str, Any]:
        """Its columns."""
        values = {name: getattr(self.draft, name) for name in _DRAFT_FIELDS}
        return {**values, "id": row_id, "content_hash": self.text.hash}


async def create_remediation(
    deps: Dependencies, caller: Caller, raw: Mapping[str, Any]
) -> Written[RemediationAudit]:
    """Stores one remediation with its event and vector.

    Errors: InvalidInput, Forbidden, RecordConflict, Unavailable.
    """
    (outcome,) = await create_remediations(deps, caller, [raw])
    if isinstance(outcome, DataStorageError):
        raise outcome
    return outcome


async def create_remediations(
    deps: Dependencies, caller: Caller, raws: Sequence[Mapping[str, Any]]
) -> list[Outcome]:
    """Stores many, each with its own outcome; a refused one does not hold up the others.

    Errors: Forbidden (no right to write at all), Unavailable (nothing was written).
    """
    caller.require(Right.WRITE)
    with accounted(len(raws)) as tally:
        prepared = [_prepared(deps, caller, raw) for raw in raws]
        ready = [item for item in prepared if isinstance(item, Prepared)]
        written = iter(await _write_or_split(deps, caller, ready))
        outcomes = [next(written) if isinstance(item, Prepared) else item for item in prepared]
        tally.outcomes = outcomes
    return outcomes


def _prepared(deps: Dependencies, caller: Caller, raw: Mapping[str, Any]) -> Prepared | DataStorageError:
    try:
        draft = RemediationDraft.parse(raw)
    except InvalidInput as invalid:
        return invalid
    if not caller.scope.covers(draft.namespace, draft.cluster_name):
        return Forbidden(f"{caller.principal} may not write to namespace {draft.namespace}")
    clean, redactions = redacted({name: getattr(draft, name) for name in _REDACTED}, deps.redactor)
    draft = replace(draft, **clean)
    return Prepared(draft, redactions, incident_text(draft))


async def _write_or_split(deps: Dependencies, caller: Caller, items: Sequence[Prepared]) -> list[Outcome]:
    """Writes all at once; data that PostgreSQL refuses sends the batch through one by one."""
    if not items:
        return []
    vectors = await deps.embedder.vectors({item.text.hash: item.text.text for item in items})
    ids = await deps.remediation_ids.take(len(items))
    try:
        return await _write(deps, caller, dict(zip(ids, items, strict=True)), vectors)
    except DBAPIError as error:
        if len(items) == 1 or not sqlstate(error).startswith(("22", "23")):
            raise
    return [(await _write_or_split(deps, caller, [item]))[0] for item in items]


async def _write(
    deps: Dependencies, caller: Caller, items: Mapping[int, Prepared], vectors: Mapping[bytes, Vector]
) -> list[Outcome]:
    rows = [item.row(row_id) for row_id, item in items.items()]
    rows.sort(key=lambda row: row["remediation_request_id"])  # one lock order for all writers
    async with unit_of_work(deps, caller) as work:
        inserted = {audit.id: audit for audit in await work.audits.add_many(rows)}
        if inserted:
            await work.events.add_many([events.created(audit, caller) for audit in inserted.values()])
            hashes = {items[row_id].text.hash for row_id in inserted}
            await work.embeddings.add_many({key: vectors[key] for key in hashes if key in vectors})
        repeated = [item for row_id, item in items.items() if row_id not in inserted]
        replayer = await Replayer.load(deps, caller, work, [item.draft for item in repeated])
        outcomes = [
            _created(deps, inserted[row_id], item, vectors)
            if row_id in inserted
            else replayer.outcome(item.draft, item.redactions)
            for row_id, item in items.items()
        ]
        await work.commit()
    return outcomes


def _created(
    deps: Dependencies, audit: RemediationAudit, item: Prepared, vectors: Mapping[bytes, Vector]
) -> Written[RemediationAudit]:
    similarity = Similarity.INDEXED if item.text.hash in vectors else deps.embedder.without_vector
    return Written(audit, Receipt(replayed=False, similarity=similarity, redactions=item.redactions))
