"""Keeping the text that incidents are found by current, whichever record arrives first.

A remediation's text is made of its own fields and of the root causes that analyses found. So creating or changing
a remediation needs the root causes, and creating an analysis changes the text of its remediation. Vectors are
found before the transaction opens, from what is stored by then; a text that differs in the end, because another
writer was faster, is stored without its vector rather than holding locks while embedding; it is embedded right
after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datastorage.db.database import ReadSession
from datastorage.domain.analysis import AiAnalysisDraft, RootCause
from datastorage.domain.enums import Similarity
from datastorage.domain.remediation import RemediationAudit, RemediationDraft
from datastorage.embedding import Vector
from datastorage.repositories.incident_texts import IncidentTexts
from datastorage.repositories.stored_vectors import hashes_with_vector
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import IncidentText, incident_text
from datastorage.services.unit_of_work import UnitOfWork


async def vectors_for(deps: Dependencies, drafts: Sequence[Any]) -> dict[bytes, Vector]:
    """The vectors of the texts that storing these drafts will probably lead to, and that may have to be stored."""
    if deps.embedder.provider is None:
        return {}
    texts = await _expected_texts(deps, drafts)

    async def stored(hashes: Iterable[bytes]) -> set[bytes]:
        async with deps.database.primary() as session:
            return await hashes_with_vector(session, deps.embedder.model, hashes)

    return await deps.embedder.vectors({text.hash: text.text for text in texts}, stored)


async def _expected_texts(deps: Dependencies, drafts: Sequence[Any]) -> list[IncidentText]:
    remediations = [draft for draft in drafts if isinstance(draft, RemediationDraft)]
    analyses = [draft for draft in drafts if _tells_a_cause(draft)]
    if not remediations and not analyses:
        return []
    async with deps.database.primary() as session:
        return await _texts(session, remediations, analyses)


async def _texts(
    session: ReadSession, remediations: Sequence[RemediationDraft], analyses: Sequence[AiAnalysisDraft]
) -> list[IncidentText]:
    stored = IncidentTexts(session)
    known = [*remediations]
    if analyses:
        known += await stored.remediations({draft.remediation_request_id for draft in analyses}, lock=False)
    causes = await stored.root_causes({draft.remediation_request_id for draft in known})
    for analysis in analyses:
        cause = RootCause(analysis.root_cause or "", analysis.namespace, analysis.cluster_name)
        causes.setdefault(analysis.remediation_request_id, []).append(cause)
    return [incident_text(draft, causes.get(draft.remediation_request_id, ())) for draft in known]


async def texts_under_lock(work: UnitOfWork, drafts: Sequence[Any]) -> dict[str, IncidentText]:
    """The texts of new remediations by request id, with the root causes there are; locks out further ones."""
    remediations = [draft for draft in drafts if isinstance(draft, RemediationDraft)]
    request_ids = {draft.remediation_request_id for draft in remediations}
    if not request_ids:
        return {}
    await work.texts.lock(request_ids)
    causes = await work.texts.root_causes(request_ids)
    return {
        draft.remediation_request_id: incident_text(draft, causes.get(draft.remediation_request_id, ()))
        for draft in reversed(remediations)  # of two with one key the first is stored
    }


async def text_of_locked(work: UnitOfWork, record: Any) -> IncidentText | None:
    """The text of a changed remediation, whose row is locked; None for other records."""
    if not isinstance(record, RemediationDraft):
        return None
    causes = await work.texts.root_causes([record.remediation_request_id])
    return incident_text(record, causes.get(record.remediation_request_id, ()))


async def retell(work: UnitOfWork, records: Sequence[Any], vectors: Mapping[bytes, Vector]) -> set[bytes]:
    """After analyses were stored: gives their remediations the new text. Returns the hashes now in use."""
    request_ids = {record.remediation_request_id for record in records if _tells_a_cause(record)}
    if not request_ids:
        return set()
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
    hashes = {text.hash for text in texts.values()}
    await store_vectors(work, hashes, vectors)
    return hashes


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
