"""The text of an incident that is embedded, and its hash: what makes two incidents alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from datastorage.domain.remediation import RemediationDraft
from datastorage.search import content_hash, embedded_text

HEADLINE_KEYS: Final = ("summary", "title", "alertname")


@dataclass(frozen=True, slots=True)
class IncidentText:
    """A text and its SHA-256."""

    text: str
    hash: bytes


def incident_text(draft: RemediationDraft, root_causes: Sequence[str] = ()) -> IncidentText:
    """Stable, meaningful text only: ids and labels are filters, never embedded."""
    text = embedded_text(
        action_type=draft.action_type,
        target_kind=draft.target_kind,
        headline=_headline(draft),
        error_message=draft.error_message,
        root_causes=root_causes,
        resolution=draft.resolution,
    )
    return IncidentText(text, content_hash(text))


def _headline(draft: RemediationDraft) -> str:
    for key in HEADLINE_KEYS:
        value = draft.metadata.get(key)
        if isinstance(value, str) and value:
            return value
    return draft.name
