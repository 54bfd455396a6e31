"""The text of an incident: masked and hashed for its meaning, word for word for the lexical search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from datastorage.domain.analysis import RootCause
from datastorage.domain.remediation import RemediationDraft
from datastorage.limits import SEARCH_TEXT_BYTES_MAX
from datastorage.search import LexicalDocument, content_hash, embedded_text, lexical_document

HEADLINE_KEYS: Final = ("summary", "title", "alertname")


@dataclass(frozen=True, slots=True)
class IncidentText:
    """What an incident is found by."""

    text: str  # that is embedded
    hash: bytes  # its SHA-256
    headline: str  # unmasked, as the body
    body: str

    @property
    def words(self) -> LexicalDocument:
        """Its terms and their weights."""
        return lexical_document(self.headline, self.body)


def incident_text(draft: RemediationDraft, root_causes: Sequence[RootCause] = ()) -> IncidentText:
    """Stable, meaningful text only: ids and labels are filters, never embedded.

    Root causes that were found elsewhere are left out: who sees the incident may not see these.
    """
    headline = headline_of(draft)
    causes = [cause.text for cause in root_causes if cause.belongs_to(draft.namespace, draft.cluster_name)]
    text = embedded_text(
        action_type=draft.action_type,
        target_kind=draft.target_kind,
        headline=headline,
        error_message=draft.error_message,
        root_causes=causes,
        resolution=draft.resolution,
    )
    return IncidentText(text, content_hash(text), headline, _body(draft, causes))


def _body(draft: RemediationDraft, root_causes: Sequence[str]) -> str:
    """What was said of it beside the headline; what differs between occurrences is what people search by here."""
    said = (draft.error_message, *sorted(set(root_causes)), draft.resolution)
    return "\n".join((f"{draft.name} {draft.action_type} {draft.target_resource}", *filter(None, said)))


def question_of(draft: RemediationDraft) -> str:
    """What somebody would ask who has this incident before them: what happened, not what was done about it."""
    asked = "\n".join(filter(None, (headline_of(draft), draft.error_message)))
    return asked.encode(errors="replace")[:SEARCH_TEXT_BYTES_MAX].decode(errors="ignore")


def headline_of(draft: RemediationDraft) -> str:
    """What a person would read first: from the metadata, else the name."""
    for key in HEADLINE_KEYS:
        value = draft.metadata.get(key)
        if isinstance(value, str) and value:
            return value
    return draft.name
