"""Upserting remediations: a create, or an update of the fields sent where the audit stands already.

What is sent must be a whole audit, since it may be new. Fields that never change must then be what they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from datastorage.domain.caller import Caller
from datastorage.domain.names import camel
from datastorage.domain.receipt import Written
from datastorage.domain.remediation import (
    REMEDIATION,
    RemediationAudit,
    RemediationDraft,
    apply_change,
    change_of,
)
from datastorage.domain.sameness import same
from datastorage.embedding import Vector
from datastorage.errors import (
    DataStorageError,
    InvalidInput,
    InvalidTransition,
    RecordConflict,
    RecordNotFound,
    Unavailable,
)
from datastorage.repositories.records import Records
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.accounting import Outcome
from datastorage.services.records.batch import Batch
from datastorage.services.records.change import changes_text, check_version, store_change
from datastorage.services.records.prepared import Prepared, prepare
from datastorage.services.unit_of_work import UnitOfWork

EXPECTED_VERSION: Final = "expected_version"
FIXED: Final = tuple(name for name in REMEDIATION.input_fields if name not in REMEDIATION.mutable)


async def upsert_remediation(
    deps: Dependencies, caller: Caller, raw: Mapping[str, Any]
) -> Written[RemediationAudit]:
    """Stores one audit, or changes the one that stands under its key.

    Errors: InvalidInput, Forbidden, RecordConflict, RecordNotFound, InvalidTransition, Unavailable.
    """
    (outcome,) = await upsert_remediations(deps, caller, [raw])
    if isinstance(outcome, DataStorageError):
        raise outcome
    return outcome


async def upsert_remediations(
    deps: Dependencies, caller: Caller, raws: Sequence[Mapping[str, Any]], *, atomic: bool = False
) -> list[Outcome[RemediationAudit]]:
    """Upserts many in their order, each with its own outcome; `raws` may hold an `expected_version`.

    Errors: Forbidden (no right to write at all).
    """
    return await Batch(deps, caller, REMEDIATION, UPSERTION, atomic).written(raws)


@dataclass(frozen=True, slots=True)
class PreparedUpsert(Prepared):
    """A draft, and what it asks of an audit that stands already."""

    change: Mapping[str, Any]
    expected_version: int | None


class Upsertion:
    """The manner of upserts: what stands already is changed."""

    def prepare(self, deps: Dependencies, caller: Caller, raw: Mapping[str, Any]) -> PreparedUpsert:
        """Errors: InvalidInput, Forbidden."""
        sent = {name: value for name, value in raw.items() if name != EXPECTED_VERSION}
        whole = prepare(REMEDIATION, caller, deps.redactor, sent)
        change = change_of(whole.draft, sent)
        return PreparedUpsert(caller, whole.draft, whole.redactions, change, raw.get(EXPECTED_VERSION))

    def may_insert(self, item: PreparedUpsert) -> bool:
        """A version is expected of what stands already."""
        return item.expected_version is None

    async def expected(
        self, deps: Dependencies, items: Sequence[PreparedUpsert]
    ) -> Sequence[RemediationDraft]:
        """The audits as they will probably be, those whose text is new."""
        keys = {item.draft.remediation_request_id for item in items}
        async with deps.database.primary() as session:
            stored = await Records(session, items[0].caller.scope, REMEDIATION).by_keys(sorted(keys))
        current: dict[str, RemediationDraft] = dict(stored)
        told = []
        for item in items:
            key = item.draft.remediation_request_id
            before = current.get(key)
            after = item.draft if before is None else _probably(before, item)
            if before is None or changes_text(before, after):
                told.append(after)
            current[key] = after
        return told

    async def taken(
        self,
        deps: Dependencies,
        work: UnitOfWork,
        items: Sequence[PreparedUpsert],
        vectors: Mapping[bytes, Vector],
    ) -> Sequence[Outcome[RemediationAudit]]:
        """Changes, replays and refusals."""
        keys = [item.draft.remediation_request_id for item in items]
        standing = await work.audits_anywhere(REMEDIATION).locked_by_keys(keys)
        return [
            await self._outcome(deps, work, standing.get(key), item, vectors)
            for key, item in zip(keys, items, strict=True)
        ]

    async def _outcome(
        self,
        deps: Dependencies,
        work: UnitOfWork,
        before: RemediationAudit | None,
        item: PreparedUpsert,
        vectors: Mapping[bytes, Vector],
    ) -> Outcome[RemediationAudit]:
        try:
            before = self._standing(before, item)
            after = apply_change(before, item.change)
        except (InvalidInput, InvalidTransition, RecordConflict, RecordNotFound, Unavailable) as refusal:
            return refusal
        return await store_change(
            deps, item.caller, REMEDIATION, work, before, after, vectors, item.redactions
        )

    def _standing(self, before: RemediationAudit | None, item: PreparedUpsert) -> RemediationAudit:
        """The audit to change. Errors: RecordNotFound, RecordConflict, Unavailable."""
        key = item.draft.remediation_request_id
        if before is None:
            if item.expected_version is not None:
                raise RecordNotFound(f"no {REMEDIATION.label} with {camel(REMEDIATION.key)} {key}")
            raise Unavailable(f"a record with this {camel(REMEDIATION.key)} is being deleted; try again")
        if not item.caller.scope.covers(before.namespace, before.cluster_name):
            raise RecordConflict(f"{camel(REMEDIATION.key)} is taken")
        fixed = [camel(name) for name in FIXED if not same(getattr(item.draft, name), getattr(before, name))]
        if fixed:
            raise RecordConflict(
                f"{camel(REMEDIATION.key)} {key} is stored with other values of {', '.join(fixed)}, "
                "which never change",
                fixed,
            )
        check_version(before, item.expected_version, item.change)
        return before


UPSERTION: Final = Upsertion()


def _probably(before: RemediationDraft, item: PreparedUpsert) -> RemediationDraft:
    try:
        return apply_change(before, item.change)
    except (InvalidInput, InvalidTransition):
        return before
