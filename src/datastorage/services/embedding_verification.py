"""Whether stored embeddings are what they should be: their form, their indexes, and that the model still gives them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datastorage.errors import OperatorError
from datastorage.limits import INDEX_RECALL_MIN, SAME_VECTOR_COSINE_MIN
from datastorage.models.incident_embedding import DEFAULT_MODEL
from datastorage.repositories.incident_texts import IncidentTexts
from datastorage.repositories.model_vectors import sample
from datastorage.repositories.texts_without_vector import incidents_of
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedding_models import ModelStanding, index_recall, standing
from datastorage.services.incident_text import incident_text

HASHES_TOLD = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of one check; `fault` says what is wrong and what to do, and is empty when all is well."""

    check: str
    detail: str
    fault: str = ""


async def verify(deps: Dependencies, sample_rows: int) -> list[Checked]:
    """Every check. Errors: OperatorError while embeddings are off, Unavailable."""
    provider = deps.embedder.provider
    if provider is None:
        raise OperatorError("embeddings are off: there is nothing to verify")
    state = await standing(deps)
    found: list[Checked] = []
    for model in state.models:
        wanted = provider.dimensions if model.model == provider.model else model.dimensions[0]
        found += [_dimensions(model, wanted), _lengths(model), _index(model)]
        if model.index is not None and model.index.valid:
            found.append(await _recall(deps, model))
    return [*found, await _texts(deps, sample_rows)]


def _dimensions(model: ModelStanding, wanted: int) -> Checked:
    check, detail = f"{model.model}: dimensions", ", ".join(map(str, model.dimensions))
    if model.dimensions == (wanted,):
        return Checked(check, detail)
    return Checked(check, detail, f"all should have {wanted}; delete the others, then run: {_backfill()}")


def _lengths(model: ModelStanding) -> Checked:
    check = f"{model.model}: lengths"
    if model.not_unit == 0:
        return Checked(check, f"{model.vectors:,} vectors, all of length 1")
    fault = f"their similarities are wrong; delete them, then run: {_backfill()}"
    return Checked(check, f"{model.not_unit:,} of {model.vectors:,} vectors are not of length 1", fault)


def _index(model: ModelStanding) -> Checked:
    check = f"{model.model}: index"
    mend = "datastorage migrate" if model.model == DEFAULT_MODEL else "datastorage embeddings reembed"
    if model.index is None:
        return Checked(check, "none: searches compare every vector", f"run: {mend}")
    if not model.index.valid:
        mend = f"REINDEX INDEX CONCURRENTLY {model.index.name}" if model.model == DEFAULT_MODEL else mend
        return Checked(
            check, f"{model.index.name} is not valid: searches compare every vector", f"run: {mend}"
        )
    return Checked(check, model.index.name)


async def _recall(deps: Dependencies, model: ModelStanding) -> Checked:
    recall = await index_recall(deps, model.model)
    check = f"{model.model}: recall"
    if recall is None:
        return Checked(check, "no vector that an incident has")
    detail = f"the index finds {recall:.1%} of the ten nearest"
    if recall >= INDEX_RECALL_MIN or model.index is None:
        return Checked(check, detail)
    fault = f"should be {INDEX_RECALL_MIN:.0%} or more; run: REINDEX INDEX CONCURRENTLY {model.index.name}"
    return Checked(check, detail, fault)


async def _texts(deps: Dependencies, rows_max: int) -> Checked:
    """Embeds a sample of the stored texts again."""
    model = deps.embedder.model
    check = f"{model}: vectors"
    async with deps.database.maintenance() as session:
        stored = await sample(session, model, rows_max)
    async with deps.database.primary() as reader:
        found = await incidents_of(reader, stored, 1)
        audits = [audit for of_text in found.values() for audit in of_text]
        causes = await IncidentTexts(reader).root_causes(audit.remediation_request_id for audit in audits)
    texts = {}
    for content_hash, (audit, *_) in found.items():
        text = incident_text(audit, causes.get(audit.remediation_request_id, ()))
        if text.hash == content_hash:  # else it has changed since it was stored
            texts[content_hash] = text.text
    again = await deps.embedder.vectors(texts)
    if len(again) < len(texts):
        return Checked(
            check, f"{len(texts) - len(again)} of {len(texts)} texts could not be embedded", "see the log"
        )
    other = [key for key, vector in again.items() if not _same(stored[key], vector)]
    if other:
        told = ", ".join(key.hex() for key in other[:HASHES_TOLD])
        fault = (
            f"content_hash {told}{' …' if len(other) > HASHES_TOLD else ''}: altered, or the model is another one "
            f"under the same name; delete them, then run: {_backfill()}"
        )
        return Checked(check, f"{len(other)} of {len(texts)} are not what the model gives", fault)
    return Checked(check, f"{len(texts)} embedded again, the same as stored")


def _same(stored: np.ndarray, computed: np.ndarray) -> bool:
    if stored.shape != computed.shape:
        return False
    lengths = float(np.linalg.norm(stored) * np.linalg.norm(computed))
    return bool(lengths > 0 and float(stored @ computed) / lengths > SAME_VECTOR_COSINE_MIN)


def _backfill() -> str:
    return "datastorage embeddings backfill"
