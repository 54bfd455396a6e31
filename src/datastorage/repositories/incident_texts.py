"""What the text of an incident is made of beyond its own row: the root causes that analyses found.

Analyses and remediations arrive in any order and at the same time. Whoever writes one of a pair holds the lock
of its request id while reading the other, so that one of the two writers sees both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import String, any_, bindparam, column, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.compiled_statement import CompiledStatement, Slot
from datastorage.db.database import ReadSession, WriteSession
from datastorage.db.row_pool import RowPool
from datastorage.domain.analysis import RootCause
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.models import ai_analysis_audit, remediation_audit
from datastorage.repositories.record_tables import table_of

_REMEDIATIONS: Final = table_of(REMEDIATION)
_analysis = ai_analysis_audit.c

_KEYS: Final = (
    func.unnest(bindparam("keys", type_=ARRAY(String))).table_valued(column("key", String)).render_derived()
)
_CAUSES: Final = select(
    _analysis.remediation_request_id, _analysis.root_cause, _analysis.namespace, _analysis.cluster_name
).where(
    _analysis.remediation_request_id == any_(bindparam("keys", type_=ARRAY(String))),
    _analysis.root_cause.is_not(None),
)
_CAUSES_READ: Final = CompiledStatement(_CAUSES.params(keys=Slot(0)))
_LOCK: Final = select(func.count(func.pg_advisory_xact_lock(func.hashtextextended(_KEYS.c.key, 0))))
_SET_HASH: Final = (
    update(remediation_audit)
    .where(remediation_audit.c.id == bindparam("row_id"))
    .values(content_hash=bindparam("hash"))
)


class IncidentTexts:
    """Root causes and hashes of one transaction; they carry no caller's data out, so no scope."""

    def __init__(self, session: ReadSession | WriteSession) -> None:
        self._session = session

    async def root_causes(self, request_ids: Iterable[str]) -> dict[str, list[RootCause]]:
        """What analyses found, by request id; incidents without a root cause are missing."""
        return _by_request(await self._session.execute(_CAUSES, {"keys": sorted(set(request_ids))}))

    async def remediations(self, request_ids: Iterable[str], *, lock: bool) -> list[RemediationAudit]:
        """The remediations of these requests, wherever they are; locked in one order if they are to change."""
        statement = (
            select(*_REMEDIATIONS.record_columns)
            .where(_REMEDIATIONS.key.in_(set(request_ids)))
            .order_by(remediation_audit.c.id)
        )
        rows = await self._session.execute(statement.with_for_update() if lock else statement)
        return [RemediationAudit(**row._mapping) for row in rows]  # noqa: SLF001 -- SQLAlchemy's public name


class IncidentTextsWriter(IncidentTexts):
    """The same in a transaction that may write."""

    def __init__(self, session: WriteSession) -> None:
        super().__init__(session)

    async def lock(self, request_ids: Iterable[str]) -> None:
        """Makes other writers of these incidents wait until this transaction ends; always in one order."""
        await self._session.execute(_LOCK, {"keys": sorted(set(request_ids))})

    async def set_hashes(self, hashes: Mapping[int, bytes]) -> None:
        """Gives incidents the hash of their new text. No new version: nothing that a client sees has changed."""
        if hashes:
            await self._session.execute(
                _SET_HASH,
                [{"row_id": row_id, "hash": content_hash} for row_id, content_hash in hashes.items()],
            )


async def root_causes(rows: RowPool, request_ids: Iterable[str]) -> dict[str, list[RootCause]]:
    """What analyses found, by request id, outside a transaction."""
    return _by_request(
        await rows.fetch(_CAUSES_READ.text, _CAUSES_READ.arguments([sorted(set(request_ids))]))
    )


def _by_request(rows: Iterable[Any]) -> dict[str, list[RootCause]]:
    found: dict[str, list[RootCause]] = defaultdict(list)
    for request_id, *cause in rows:
        found[request_id].append(RootCause(*cause))
    return dict(found)
