"""Changing an audit: phase moves and fields, under optimistic concurrency.

The vector is found before the transaction opens, from the row as it is then; should another writer change
the text in between, the new text is written without its vector rather than holding a lock while embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datastorage.domain.caller import Caller, Right
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.receipt import Redaction, Written
from datastorage.embedding import Vector
from datastorage.errors import RecordNotFound
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import incident_index
from datastorage.services.records.accounting import accounted
from datastorage.services.records.change import changes_text, check_version, store_change
from datastorage.services.records.read import RecordKey, find
from datastorage.services.redaction_receipt import redacted
from datastorage.services.repetition import repeated
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
        check_version(
            current, self._expected_version, self._change
        )  # an outdated move is a conflict, allowed or not
        vectors = await self._vectors(current)
        return await repeated(lambda: self._written_once(current.id, vectors))

    async def _written_once(self, row_id: int, vectors: Mapping[bytes, Vector]) -> Written[Any]:
        async with unit_of_work(self._deps, self._caller) as work:
            written = await self._in_unit(work, row_id, vectors)
            await work.commit()
        return written

    async def _vectors(self, current: Any) -> Mapping[bytes, Vector]:
        """The vector of the changed text; none when the text stays."""
        after = self._apply(current, self._change)
        if not changes_text(current, after):
            return {}
        return (await incident_index.told(self._deps, [after])).vectors

    async def _in_unit(self, work: UnitOfWork, row_id: int, vectors: Mapping[bytes, Vector]) -> Written[Any]:
        before = await work.audits(self._kind).locked(row_id)
        if before is None:
            raise RecordNotFound("the record was deleted meanwhile")
        check_version(before, self._expected_version, self._change)
        after = self._apply(before, self._change)
        return await store_change(
            self._deps, self._caller, self._kind, work, before, after, vectors, self._redactions
        )
