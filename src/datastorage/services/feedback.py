"""Feedback: whether a past incident helped with another. An event of the remediation; its row stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from datastorage.domain import fields
from datastorage.domain.caller import Caller, Right
from datastorage.domain.event import RemediationEvent
from datastorage.domain.form import Field, Form
from datastorage.domain.receipt import Receipt, Redaction, Written
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.domain.sameness import same
from datastorage.errors import InvalidInput, RecordNotFound
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import events
from datastorage.services.records.accounting import accounted
from datastorage.services.records.incident_index import similarity
from datastorage.services.redaction_receipt import redacted_fields
from datastorage.services.unit_of_work import UnitOfWork, failures_counted, unit_of_work

_NOTE_FORM: Final = Form([Field("note", fields.free_text)])
_REDACTED: Final = ("note",)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody says of a pair of remediations."""

    request_id: str
    similar_to: str
    helpful: bool
    note: str | None = None


async def record_feedback(
    deps: Dependencies, caller: Caller, feedback: Feedback
) -> Written[RemediationEvent]:
    """Adds the event; the same again of the same actor is replayed.

    Errors: InvalidInput, RecordNotFound, Forbidden, Unavailable.
    """
    with accounted(REMEDIATION, 1) as tally, failures_counted():
        caller.require(Right.WRITE)
        if feedback.request_id == feedback.similar_to:
            raise InvalidInput.single("similarTo", "must be another remediation than requestId")
        note, redactions = redacted_fields(
            _REDACTED, _NOTE_FORM.read({"note": feedback.note}).done(), deps.redactor
        )
        changes = {"similar_to": feedback.similar_to, "helpful": feedback.helpful, **note}
        async with unit_of_work(deps, caller) as work:
            audit = await _locked(work, feedback)
            event, replayed = await _recorded(deps, caller, work, audit, changes)
            receipt = await _receipt(deps, work, audit, redactions, replayed=replayed)
            await work.commit()
        written = Written(event, receipt)
        tally.outcomes = [written]
    return written


async def _locked(work: UnitOfWork, feedback: Feedback) -> RemediationAudit:
    """The remediation that the feedback is on, which cannot change meanwhile. Errors: RecordNotFound."""
    given = {"requestId": feedback.request_id, "similarTo": feedback.similar_to}
    keys = [key for key in given.values() if "\x00" not in key]  # PostgreSQL's text cannot hold it
    audits = work.audits(REMEDIATION)
    found = await audits.by_keys(keys)
    missing = [f"{argument} {key}" for argument, key in given.items() if key not in found]
    if missing:
        raise RecordNotFound(f"no {REMEDIATION.label} with {', and none with '.join(missing)}")
    audit = await audits.locked(found[feedback.request_id].id)
    if audit is None:
        raise RecordNotFound(f"the {REMEDIATION.label} with requestId {feedback.request_id} was just deleted")
    return audit


async def _recorded(
    deps: Dependencies, caller: Caller, work: UnitOfWork, audit: RemediationAudit, changes: Mapping[str, Any]
) -> tuple[RemediationEvent, bool]:
    """The event, and whether it stood already."""
    last = await work.events.last_feedback(
        audit.remediation_request_id, changes["similar_to"], caller.principal, caller.declared_actor
    )
    # What was stored goes through today's patterns first, as it does when creates are compared.
    if last is not None and same(redacted_fields(_REDACTED, last.changes, deps.redactor)[0], dict(changes)):
        return last, True
    return await work.events.add(events.feedback(REMEDIATION, audit, caller, changes)), False


async def _receipt(
    deps: Dependencies,
    work: UnitOfWork,
    audit: RemediationAudit,
    redactions: tuple[Redaction, ...],
    *,
    replayed: bool,
) -> Receipt:
    pending = deps.embedder.provider is not None and not await work.embeddings.indexed([audit.id])
    return Receipt(replayed, similarity(deps, pending=pending), redactions)
