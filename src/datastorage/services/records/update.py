"""Changing an audit: phase moves and fields, under optimistic concurrency.

The vector is found before the transaction opens, from the row as it is then; should another writer change
the text in between, the new text is written without its vector rather than holding a lock while embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datastorage.domain.caller import Caller, Right
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.receipt import Receipt, Redaction, Written
from datastorage.domain.remediation import RemediationAudit
from datastorage.domain.sameness import same
from datastorage.domain.snapshot import differences
from datastorage.embedding import Vector
from datastorage.errors import RecordConflict, RecordNotFound
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import incident_text
from datastorage.services.records import events, incident_index
from datastorage.services.records.accounting import accounted
from datastorage.services.records.read import RecordKey, find
from datastorage.services.redaction_receipt import redacted
from datastorage.services.unit_of_work import UnitOfWork, failures_counted, unit_of_work


async def update_record(
    deps: Dependencies,
    caller: Caller,
    kind: RecordKind[R],
    key: RecordKey,
    raw: Mapping[str, Any],
    expected_version: int | None = None,
) -> Written[R]:
    """Changes the fields sent.

    Errors: InvalidInput, RecordNotFound, RecordConflict, InvalidTransition, Forbidden, Unavailable.
    """
    with accounted(kind, 1) as tally, failures_counted():
        caller.require(Right.WRITE)
        update = _Update(deps, caller, kind, raw, expected_version)
        written = await update.written(key)
        tally.outcomes = [written]
    return written


class _Update:
    """One update on its way: from what was sent to what stands."""

    def __init__(
        self,
        deps: Dependencies,
        caller: Caller,
        kind: RecordKind[Any],
        raw: Mapping[str, Any],
        expected_version: int | None,
    ) -> None:
        if kind.parse_change is None or kind.apply_change is None:
            raise TypeError(f"{kind.type_name} never changes")
        self._deps, self._caller, self._kind, self._expected_version = deps, caller, kind, expected_version
        self._apply = kind.apply_change
        self._redactions: tuple[Redaction, ...]
        self._change, self._redactions = redacted(kind, kind.parse_change(raw), deps.redactor)

    async def written(self, key: RecordKey) -> Written[Any]:
        """Reads, embeds, then changes in one unit of work."""
        async with self._deps.database.primary() as session:
            current = await find(session, self._caller, self._kind, key)
        if current is None:
            raise RecordNotFound(f"no {self._kind.label} with {key.describe(self._kind)}")
        self._check_version(current)  # an outdated move is a conflict, allowed or not
        vectors = await self._vectors(current)
        async with unit_of_work(self._deps, self._caller) as work:
            written = await self._in_unit(work, current.id, vectors)
            await work.commit()
        return written

    async def _vectors(self, current: Any) -> dict[bytes, Vector]:
        """The vector of the changed text; none when the text stays, since it was handled when it was new."""
        after = self._apply(current, self._change)
        changes_text = isinstance(after, RemediationAudit) and incident_text(after) != incident_text(current)
        return await incident_index.vectors_for(self._deps, [after]) if changes_text else {}

    async def _in_unit(self, work: UnitOfWork, row_id: int, vectors: Mapping[bytes, Vector]) -> Written[Any]:
        before = await work.audits(self._kind).locked(row_id)
        if before is None:
            raise RecordNotFound("the record was deleted meanwhile")
        self._check_version(before)
        after = self._apply(before, self._change)
        replayed = not differences(self._kind, before, after)
        text = await incident_index.text_of_locked(work, after)
        hashes = set() if text is None else {text.hash}
        if not replayed:
            hidden = {} if text is None else {"content_hash": text.hash}
            after = await work.audits(self._kind).change(after, hidden)
            await work.events.add_many([events.changed(self._kind, before, after, self._caller)])
        await incident_index.store_vectors(work, hashes, vectors)
        pending = await incident_index.unindexed(work, hashes, vectors)
        similarity = incident_index.similarity(self._deps, pending=bool(pending))
        return Written(
            before if replayed else after,
            Receipt(replayed=replayed, similarity=similarity, redactions=self._redactions),
        )

    def _check_version(self, record: Any) -> None:
        """Errors: RecordConflict, unless this very update was applied before: one version on, all in place."""
        if self._expected_version is None or self._expected_version == record.version:
            return
        in_place = all(same(getattr(record, name), value) for name, value in self._change.items())
        if record.version != self._expected_version + 1 or not in_place:
            raise RecordConflict(
                f"version is {record.version}, not the expected {self._expected_version}; read it again",
                ["version"],
            )
