"""Finding the vectors that could not be had when their records were stored. Called by the worker and the commands.

A write that stores a text without its vector makes an outbox entry in the same transaction. Entries are leased, so
that several replicas share the work, and no lock is held while embedding. The steps can be repeated: whoever dies
between them leaves entries whose lease ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from datastorage.domain.analysis import RootCause
from datastorage.domain.enums import OutboxKind
from datastorage.domain.remediation import RemediationAudit
from datastorage.embedding import Vector
from datastorage.errors import Unavailable
from datastorage.limits import (
    BACKFILL_BUSY_S,
    BACKFILL_LEASE_S,
    BACKFILL_SCAN_ROWS,
    BATCH_ROWS_MAX,
    EMBEDDING_BATCH_TEXTS,
)
from datastorage.observability.metrics import EMBEDDING_BACKFILL_FAILURES, EMBEDDING_BACKFILLED
from datastorage.repositories import outbox
from datastorage.repositories.incident_embeddings import IncidentEmbeddings
from datastorage.repositories.incident_texts import IncidentTexts, IncidentTextsWriter
from datastorage.repositories.outbox import Outbox, Waiting
from datastorage.repositories.stored_vectors import hashes_with_vector
from datastorage.repositories.texts_without_vector import enter_missing, incidents_of, store_needed
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import IncidentText, incident_text
from datastorage.services.mirroring.entries import enter_mirrored

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What became of the texts of one lease."""

    leased: int = 0
    settled: int = 0  # have their vector now, or need none any more
    failed: int = 0
    parked: int = 0

    @property
    def busy(self) -> int:
        """Texts that a writer held."""
        return self.leased - self.settled - self.failed - self.parked


@dataclass(frozen=True, slots=True)
class _Texts:
    """What the leased hashes stand for."""

    current: dict[bytes, str]
    outdated: list[bytes]  # whose incidents' text has another hash by now


class Backfill:
    """One worker's share of the backlog of the active model."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps, self._model = deps, deps.embedder.model
        self._texts_max = EMBEDDING_BATCH_TEXTS

    async def find(self) -> int:
        """Looks for texts that lack both vector and entry, and forgets entries of texts that are gone.

        Returns how many entries were made. Errors: Unavailable.
        """
        after: bytes | None = b""
        found = 0
        while after is not None:
            async with self._deps.database.write() as session:
                after, entered = await enter_missing(session, self._model, after, BACKFILL_SCAN_ROWS)
                await session.commit()
            found += entered
        async with self._outbox() as entries:
            await entries.remove_unneeded()
        return found

    async def waiting(self) -> Waiting:
        """The state of the backlog. Errors: Unavailable."""
        async with self._deps.database.primary() as session:
            return await outbox.waiting(session, OutboxKind.EMBED, self._model)

    async def hurry(self, *, parked: bool = False) -> None:
        """Has everything that waits for its next attempt tried now. Errors: Unavailable."""
        async with self._outbox() as entries:
            await entries.hurry(parked=parked)

    async def round(self) -> Round:
        """Leases some texts, embeds them and stores their vectors. Errors: Unavailable."""
        hashes = await self._lease()
        if not hashes:
            return Round()
        texts = await self._texts(hashes)
        vectors = await self._deps.embedder.vectors(texts.current)
        refused = self._deps.embedder.refusals(texts.current.keys() - vectors.keys())
        failed = texts.current.keys() - vectors.keys() - refused.keys()
        stored = await self._store(vectors) if vectors else set()
        if texts.outdated:
            await self._renew(texts.outdated)
        settled = await self._settle(hashes, refused, failed)
        self._adapt(answered=bool(vectors or refused), failed=bool(failed))
        EMBEDDING_BACKFILLED.inc(len(stored))
        EMBEDDING_BACKFILL_FAILURES.inc(len(failed) + len(refused))
        return Round(len(hashes), settled, len(failed), len(refused))

    async def _lease(self) -> list[bytes]:
        lease_s = BACKFILL_LEASE_S + 2 * self._deps.embedder.timeout_s
        async with self._outbox() as entries:
            return await entries.lease(self._texts_max, lease_s)

    async def _texts(self, hashes: Sequence[bytes]) -> _Texts:
        """The texts, from incidents that have them, of those that still lack their vector."""
        async with self._deps.database.primary() as session:
            lacking = set(hashes) - await hashes_with_vector(session, self._model, hashes)
            found = await incidents_of(session, lacking, 1)
            audits = [audit for of_text in found.values() for audit in of_text]
            causes = await IncidentTexts(session).root_causes(a.remediation_request_id for a in audits)
        current: dict[bytes, str] = {}
        outdated: list[bytes] = []
        for content_hash, (audit, *_) in found.items():
            text = _text(audit, causes)
            if text.hash == content_hash:
                current[content_hash] = text.text
            else:
                outdated.append(content_hash)
        return _Texts(current, outdated)

    async def _store(self, vectors: dict[bytes, Vector]) -> set[bytes]:
        try:
            async with self._deps.database.write() as session:
                embeddings = IncidentEmbeddings(session, self._model)
                stored = await store_needed(session, embeddings, vectors)
                entries = await enter_mirrored(self._deps, session, embeddings)
                await session.commit()
        except Unavailable as obstacle:  # a writer was in the way, or the database is: both pass
            log.info("embedding_backfill_gave_way", texts=len(vectors), reason=str(obstacle))
            return set()
        entries.committed()
        return stored

    async def _settle(
        self, hashes: Sequence[bytes], refused: dict[bytes, str], failed: Iterable[bytes]
    ) -> int:
        """Ends the lease: nothing is left to do, or it is tried again soon, later, or not at all."""
        async with self._outbox() as entries:
            settled = await entries.remove_done(hashes)
            await entries.postpone(set(hashes) - refused.keys() - set(failed), BACKFILL_BUSY_S)
            await entries.postpone(failed)
            await entries.park(refused)
        return settled

    async def _renew(self, outdated: Iterable[bytes]) -> None:
        """Gives incidents the hash of the text that this release makes of them.

        It differs from the stored one if another writer is changing the incident, or if the rules of the text
        changed with a release while the incident had no vector.
        """
        async with self._deps.database.write() as session:
            found = await incidents_of(session, outdated, BATCH_ROWS_MAX)
            request_ids = {audit.remediation_request_id for audits in found.values() for audit in audits}
            texts, entries = IncidentTextsWriter(session), Outbox(session, OutboxKind.EMBED, self._model)
            await texts.lock(request_ids)
            audits = await texts.remediations(request_ids, lock=True)
            causes = await texts.root_causes(request_ids)
            hashes = {audit.id: _text(audit, causes).hash for audit in audits}
            await texts.set_hashes(hashes)
            known = await IncidentEmbeddings(session, self._model).known(hashes.values())
            await entries.put(set(hashes.values()) - known)
            await session.commit()

    @asynccontextmanager
    async def _outbox(self) -> AsyncIterator[Outbox]:
        """A transaction on the entries alone."""
        async with self._deps.database.write() as session:
            yield Outbox(session, OutboxKind.EMBED, self._model)
            await session.commit()

    def _adapt(self, *, answered: bool, failed: bool) -> None:
        """A text at which the provider fails takes others down with it: ask less at a time until it stands alone."""
        if failed and not answered:
            self._texts_max = max(1, self._texts_max // 2)
        elif answered:
            self._texts_max = min(EMBEDDING_BATCH_TEXTS, self._texts_max * 2)


def _text(audit: RemediationAudit, causes: Mapping[str, Sequence[RootCause]]) -> IncidentText:
    return incident_text(audit, causes.get(audit.remediation_request_id, ()))
