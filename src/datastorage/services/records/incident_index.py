"""Keeping the text that incidents are found by current, whichever record arrives first.

A remediation's text is made of its own fields and of the root causes that analyses found. So creating or changing
a remediation needs the root causes, and creating an analysis changes the text of its remediation. Vectors are
found before the transaction opens, from what is stored by then; a text that differs in the end, because another
writer was faster, is stored without its vector rather than holding locks while embedding; it is embedded right
after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from datastorage.domain.analysis import AiAnalysisDraft, RootCause
from datastorage.domain.enums import Similarity
from datastorage.domain.remediation import RemediationAudit, RemediationDraft
from datastorage.embedding import Vector
from datastorage.repositories.incident_texts import IncidentTexts
from datastorage.repositories.stored_vectors import hashes_with_vector
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import IncidentText, incident_text
from datastorage.services.unit_of_work import UnitOfWork

Causes: TypeAlias = list[RootCause]


@dataclass(frozen=True, slots=True)
class Telling:
    """A text, and what it was made of."""

    draft: RemediationDraft
    causes: Causes
    text: IncidentText


@dataclass(frozen=True, slots=True)
class Told:
    """What storing drafts will probably make their incidents tell: texts by request id, and vectors to store."""

    texts: Mapping[str, Telling] = field(default_factory=dict)
    vectors: Mapping[bytes, Vector] = field(default_factory=dict)

    @classmethod
    def together(cls, several: Iterable[Told]) -> Told:
        """That of many units."""
        texts: dict[str, Telling] = {}
        vectors: dict[bytes, Vector] = {}
        for one in several:
            texts |= one.texts
            vectors |= one.vectors
        return cls(texts, vectors)

    def text(self, draft: RemediationDraft, causes: Causes) -> IncidentText:
        """The text of a draft; the one that was made beforehand, if these are the causes there were."""
        before = self.texts.get(draft.remediation_request_id)
        if before is not None and before.draft is draft and before.causes == causes:
            return before.text
        return incident_text(draft, causes)


async def told(deps: Dependencies, drafts: Sequence[Any]) -> Told:
    """What storing these drafts will probably lead to, with the vectors that may have to be stored."""
    remediations = [draft for draft in drafts if isinstance(draft, RemediationDraft)]
    analyses = [draft for draft in drafts if _tells_a_cause(draft)]
    if deps.embedder.provider is None or not (remediations or analyses):
        return Told()
    texts = await _texts(deps, remediations, analyses)

    async def stored(hashes: Iterable[bytes]) -> set[bytes]:
        async with deps.database.primary() as session:
            return await hashes_with_vector(session, deps.embedder.model, hashes)

    wanted = {text.hash: text.text for text in (telling.text for telling in texts.values())}
    return Told(texts, await deps.embedder.vectors(wanted, stored))


async def _texts(
    deps: Dependencies, remediations: Sequence[RemediationDraft], analyses: Sequence[AiAnalysisDraft]
) -> dict[str, Telling]:
    known = [*remediations]
    if analyses:
        async with deps.database.primary() as session:
            requests = {draft.remediation_request_id for draft in analyses}
            known += await IncidentTexts(session).remediations(requests, lock=False)
    causes = await deps.root_causes.of({draft.remediation_request_id for draft in known})
    for analysis in analyses:
        cause = RootCause(analysis.root_cause or "", analysis.namespace, analysis.cluster_name)
        causes.setdefault(analysis.remediation_request_id, []).append(cause)
    return {
        draft.remediation_request_id: _telling(draft, causes.get(draft.remediation_request_id, []))
        for draft in reversed(known)  # of two with one key the first is stored
    }


def _telling(draft: RemediationDraft, causes: Causes) -> Telling:
    return Telling(draft, causes, incident_text(draft, causes))


async def texts_under_lock(work: UnitOfWork, drafts: Sequence[Any], told: Told) -> dict[str, IncidentText]:
    """The texts of new remediations by request id, with the root causes there are; locks out further ones."""
    remediations = [draft for draft in drafts if isinstance(draft, RemediationDraft)]
    request_ids = {draft.remediation_request_id for draft in remediations}
    if not request_ids:
        return {}
    await work.texts.lock(request_ids)
    causes = await work.texts.root_causes(request_ids)
    return {
        draft.remediation_request_id: told.text(draft, causes.get(draft.remediation_request_id, []))
        for draft in remediations
    }


async def text_of_locked(work: UnitOfWork, record: Any) -> IncidentText | None:
    """The text of a changed remediation, whose row is locked; None for other records."""
    if not isinstance(record, RemediationDraft):
        return None
    causes = await work.texts.root_causes([record.remediation_request_id])
    return incident_text(record, causes.get(record.remediation_request_id, ()))


async def retell(
    work: UnitOfWork, records: Sequence[Any], vectors: Mapping[bytes, Vector]
) -> dict[int, bytes]:
    """After analyses were stored: gives their remediations the new text. Returns its hash, by the analysis' number."""
    telling = [record for record in records if _tells_a_cause(record)]
    request_ids = {record.remediation_request_id for record in telling}
    if not request_ids:
        return {}
    await work.texts.lock(request_ids)
    remediations = await work.texts.remediations(request_ids, lock=True)
    causes = await work.texts.root_causes(request_ids)
    texts = {
        audit.remediation_request_id: incident_text(audit, causes.get(audit.remediation_request_id, ()))
        for audit in remediations
    }
    await work.texts.set_hashes(
        {audit.id: texts[audit.remediation_request_id].hash for audit in remediations}
    )
    await store_words(work, remediations, texts)
    await store_vectors(work, {text.hash for text in texts.values()}, vectors)
    return {
        record.id: texts[record.remediation_request_id].hash
        for record in telling
        if record.remediation_request_id in texts
    }


async def store_words(work: UnitOfWork, records: Sequence[Any], texts: Mapping[str, IncidentText]) -> None:
    """Stores the words of remediations, by their request ids' texts; other records have none of their own."""
    await work.lexical.put_many(
        {
            record.id: texts[record.remediation_request_id].words
            for record in records
            if isinstance(record, RemediationAudit)
        }
    )


async def store_vectors(work: UnitOfWork, hashes: set[bytes], vectors: Mapping[bytes, Vector]) -> None:
    """Stores the vectors there are for texts that are in use."""
    found = {key: vectors[key] for key in hashes if key in vectors}
    if found:
        await work.embeddings.add_many(found)


async def unindexed(work: UnitOfWork, hashes: set[bytes], vectors: Mapping[bytes, Vector]) -> set[bytes]:
    """Those of the texts that no vector is stored of, nor will be by this unit; they are embedded later."""
    unsure = hashes - vectors.keys()
    pending = unsure - await work.embeddings.known(unsure) if unsure else set()
    work.leave_over(pending)
    return pending


def similarity(deps: Dependencies, *, pending: bool) -> Similarity:
    """What a client is told about finding what it wrote."""
    if deps.embedder.provider is None:
        return Similarity.DISABLED
    return Similarity.PENDING if pending else Similarity.INDEXED


def _tells_a_cause(draft: Any) -> bool:
    return isinstance(draft, AiAnalysisDraft) and draft.root_cause is not None
