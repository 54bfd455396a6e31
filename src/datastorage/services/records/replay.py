"""Repeated creates: the same content answers with the stored audit, other content is a conflict.

A create is compared with what its CREATED event holds, not with the row, which may have moved on since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic

from datastorage.domain.enums import Similarity, SubjectKind
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.names import camel
from datastorage.domain.receipt import Receipt, Written
from datastorage.domain.snapshot import differing_fields
from datastorage.errors import RecordConflict, Unavailable
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.accounting import Outcome
from datastorage.services.records.incident_index import similarity
from datastorage.services.records.prepared import Prepared
from datastorage.services.redaction_receipt import redacted
from datastorage.services.unit_of_work import UnitOfWork


class Replayer(Generic[R]):
    """What is stored under the keys of repeated creates. Looks past the scope, tells nothing from beyond."""

    def __init__(
        self,
        deps: Dependencies,
        kind: RecordKind[R],
        current: Mapping[str, R],
        created: Mapping[str, Mapping[str, Any]],
        indexed: set[int],
    ) -> None:
        self._deps, self._kind = deps, kind
        self._current, self._created, self._indexed = current, created, indexed

    @classmethod
    async def load(
        cls, deps: Dependencies, kind: RecordKind[R], work: UnitOfWork, drafts: Sequence[Any]
    ) -> Replayer[R]:
        """Reads the stored records in the transaction that found the keys taken."""
        if not drafts:
            return cls(deps, kind, {}, {}, set())
        keys = [kind.key_of(draft) for draft in drafts]
        current = await work.audits_anywhere(kind).by_keys(keys)
        created = await work.events.created(kind.subject, keys)
        searched = kind.subject is SubjectKind.REMEDIATION and deps.embedder.provider is not None
        indexed = (
            await work.embeddings.indexed(record.id for record in current.values()) if searched else set()
        )
        return cls(deps, kind, current, created, indexed)

    def finds(self, item: Prepared) -> bool:
        """Whether anything is stored under the item's key."""
        return self._kind.key_of(item.draft) in self._current

    def outcome(self, item: Prepared) -> Outcome[R]:
        """The answer to one repeated create."""
        kind, key = self._kind, self._kind.key_of(item.draft)
        record, created = self._current.get(key), self._created.get(key)
        if record is None or created is None:
            return Unavailable(f"a record with this {camel(kind.key)} is being deleted; try again")
        if not item.caller.scope.covers(record.namespace, record.cluster_name):
            return RecordConflict(f"{camel(kind.key)} is taken")
        # What was stored goes through today's patterns first: a new pattern must not make a conflict.
        stored = redacted(kind, created, self._deps.redactor)[0]
        names = [camel(name) for name in differing_fields(kind, item.draft, stored)]
        if names:
            return RecordConflict(
                f"{camel(kind.key)} {key} is stored with other values of {', '.join(names)}", names
            )
        return Written(record, Receipt(True, self._similarity(record), item.redactions))  # noqa: FBT003 -- replayed

    def _similarity(self, record: R) -> Similarity:
        searched = self._kind.subject is SubjectKind.REMEDIATION
        return similarity(self._deps, pending=searched and record.id not in self._indexed)
