"""A dry run of a create: what it would lead to, found out by the same rules, with nothing written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datastorage.domain.caller import Caller, Right
from datastorage.domain.enums import ValidationOutcome
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.receipt import Redaction
from datastorage.errors import Fault, InvalidInput, RecordConflict, Unavailable
from datastorage.observability.labels import QueryOperation
from datastorage.observability.metrics import query_observed
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.prepared import Prepared, prepare
from datastorage.services.records.replay import Replayer
from datastorage.services.unit_of_work import unit_of_work


@dataclass(frozen=True, slots=True)
class Validation:
    """What a create would lead to."""

    outcome: ValidationOutcome
    faults: tuple[Fault, ...] = ()
    redactions: tuple[Redaction, ...] = ()
    conflicting_fields: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether it would be accepted."""
        return self.outcome in (ValidationOutcome.CREATED, ValidationOutcome.REPLAYED)


async def validate_record(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], raw: Mapping[str, Any]
) -> Validation:
    """What creating this would answer. Errors: Forbidden (as the create itself), Unavailable."""
    with query_observed(QueryOperation.GET):
        caller.require(Right.WRITE)
        try:
            item = prepare(kind, caller, deps.redactor, raw)
        except InvalidInput as refusal:
            return Validation(ValidationOutcome.REFUSED, refusal.faults)
        return await _compared(deps, caller, kind, item)


async def _compared(deps: Dependencies, caller: Caller, kind: RecordKind[R], item: Prepared) -> Validation:
    """Compares with what stands, as a create that finds its key taken; leaves without committing."""
    async with unit_of_work(deps, caller) as work:
        replayer = await Replayer.load(deps, kind, work, [item.draft])
    if not replayer.finds(item):
        return Validation(ValidationOutcome.CREATED, redactions=item.redactions)
    match replayer.outcome(item):
        case Unavailable() as outage:
            raise outage
        case RecordConflict() as conflict:
            return Validation(
                ValidationOutcome.CONFLICT, redactions=item.redactions, conflicting_fields=conflict.fields
            )
        case _:
            return Validation(ValidationOutcome.REPLAYED, redactions=item.redactions)
