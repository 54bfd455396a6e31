"""Repeated creates: the same content answers with the stored audit, other content is a conflict.

A create is compared with what its CREATED event holds, not with the row, which may have moved on since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datastorage.domain.caller import EVERYWHERE, Caller
from datastorage.domain.enums import Similarity, SubjectKind
from datastorage.domain.names import camel
from datastorage.domain.receipt import Receipt, Redaction, Written
from datastorage.domain.remediation import RemediationAudit, RemediationDraft
from datastorage.domain.snapshot import differing_fields
from datastorage.errors import RecordConflict, Unavailable
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import incident_text
from datastorage.services.redaction_receipt import redacted
from datastorage.services.remediations.accounting import Outcome
from datastorage.services.unit_of_work import UnitOfWork


class Replayer:
    """What is stored under the keys of repeated creates. Looks past the scope, tells nothing from beyond."""

    def __init__(
        self,
        deps: Dependencies,
        caller: Caller,
        current: Mapping[str, RemediationAudit],
        created: Mapping[str, Mapping[str, Any]],
        indexed: set[bytes],
    ) -> None:
        self._deps, self._caller = deps, caller
        self._current, self._created, self._indexed = current, created, indexed

    @classmethod
    async def load(
        cls, deps: Dependencies, caller: Caller, work: UnitOfWork, drafts: Sequence[RemediationDraft]
    ) -> Replayer:
        """Reads the stored records in the transaction that found the keys taken."""
        if not drafts:
            return cls(deps, caller, {}, {}, set())
        keys = [draft.remediation_request_id for draft in drafts]
        current = await work.audits_in(EVERYWHERE).by_request_ids(keys)
        created = await work.events.created(SubjectKind.REMEDIATION, keys)
        hashes = {incident_text(audit).hash for audit in current.values()}
        return cls(deps, caller, current, created, await work.embeddings.known(hashes))

    def outcome(self, draft: RemediationDraft, redactions: tuple[Redaction, ...]) -> Outcome:
        """The answer to one repeated create."""
        audit = self._current.get(draft.remediation_request_id)
        created = self._created.get(draft.remediation_request_id)
        if audit is None or created is None:
            return Unavailable("a record with this remediationRequestId is being deleted; try again")
        if not self._caller.scope.covers(audit.namespace, audit.cluster_name):
            return RecordConflict("remediationRequestId is taken")
        # What was stored goes through today's patterns first: a new pattern must not make a conflict.
        names = [camel(name) for name in differing_fields(draft, redacted(created, self._deps.redactor)[0])]
        if names:
            return RecordConflict(
                f"remediationRequestId {draft.remediation_request_id} is stored with other values of "
                f"{', '.join(names)}",
                names,
            )
        known = incident_text(audit).hash in self._indexed
        similarity = Similarity.INDEXED if known else self._deps.embedder.without_vector
        return Written(audit, Receipt(replayed=True, similarity=similarity, redactions=redactions))
