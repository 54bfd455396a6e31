"""Texts that incidents have and that one model has no vector of: which there are, and whose they are.

Called by the backfill. What is read here carries no caller's data out, so no scope.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import LargeBinary, bindparam, column, exists, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY, insert

from datastorage.db.database import ReadSession, WriteSession
from datastorage.domain.enums import OutboxKind
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.limits import BACKFILL_LOCK_TIMEOUT_MS
from datastorage.models import incident_embedding, outbox, remediation_audit
from datastorage.models.halfvec import Vector
from datastorage.repositories.incident_embeddings import IncidentEmbeddings
from datastorage.repositories.record_tables import table_of

_REMEDIATIONS: Final = table_of(REMEDIATION)
_audit, _vector = remediation_audit.c, incident_embedding.c
_HASHES: Final = (
    func.unnest(bindparam("hashes", type_=ARRAY(LargeBinary)))
    .table_valued(column("content_hash", LargeBinary))
    .render_derived(name="given")
)


async def enter_missing(
    session: WriteSession, model: str, after: bytes, rows_max: int
) -> tuple[bytes | None, int]:
    """Makes outbox entries for texts without a vector, beyond one hash and in their order.

    Returns the last hash that was looked at, None after the last, and how many texts have an entry more.
    """
    page = (
        select(_audit.content_hash)
        .where(_audit.content_hash > after)
        .order_by(_audit.content_hash)
        .limit(rows_max)
        .subquery("page")
    )
    last = await session.scalar(select(page.c.content_hash).order_by(page.c.content_hash.desc()).limit(1))
    if last is None:
        return None, 0
    kind = literal(OutboxKind.EMBED, outbox.c.kind.type)
    lacking = (
        select(kind, literal(model), _audit.content_hash)
        .distinct()
        .where(
            _audit.content_hash > after,
            _audit.content_hash <= last,
            ~exists().where(_vector.content_hash == _audit.content_hash, _vector.model == model),
        )
        .order_by(_audit.content_hash)
    )
    entered = await session.scalars(
        insert(outbox)
        .from_select(["kind", "model", "content_hash"], lacking)
        .on_conflict_do_nothing(index_elements=["kind", "model", "content_hash"])
        .returning(outbox.c.content_hash)
    )
    return last, len(entered.all())


async def incidents_of(
    session: ReadSession | WriteSession, hashes: Iterable[bytes], of_each_max: int
) -> dict[bytes, list[RemediationAudit]]:
    """Some incidents of each text; texts that none has are missing."""
    some = (
        select(*_REMEDIATIONS.record_columns)
        .where(_audit.content_hash == _HASHES.c.content_hash)
        .limit(of_each_max)
        .lateral("some")
    )
    statement = select(_HASHES.c.content_hash.label("text"), *some.c).select_from(_HASHES).join(some, true())
    found: dict[bytes, list[RemediationAudit]] = defaultdict(list)
    for row in await session.execute(statement, {"hashes": list(set(hashes))}):
        fields = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name
        found[fields.pop("text")].append(RemediationAudit(**fields))
    return dict(found)


async def store_needed(
    session: WriteSession, embeddings: IncidentEmbeddings, vectors: Mapping[bytes, Vector]
) -> set[bytes]:
    """Stores the vectors of texts that an incident has, which stays until this transaction ends.

    Returns their hashes. A text whose only incidents a writer holds right now may be about to lose them: it is
    left for later. Gives way to writers instead of waiting for long. Errors: Unavailable.
    """
    await session.execute(select(func.set_config("lock_timeout", str(BACKFILL_LOCK_TIMEOUT_MS), True)))  # noqa: FBT003 -- local
    one = (
        select(_audit.id)
        .where(_audit.content_hash == _HASHES.c.content_hash)
        .limit(1)
        .with_for_update(read=True, key_share=True, skip_locked=True)
        .lateral("one")
    )
    statement = select(_HASHES.c.content_hash).select_from(_HASHES).join(one, true())
    needed = set(await session.scalars(statement, {"hashes": sorted(vectors)}))
    if needed:
        await embeddings.add_many({key: vectors[key] for key in needed})
    return needed
