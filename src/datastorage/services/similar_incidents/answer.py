"""The answer to a question for similar incidents, with what explains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from datastorage.domain.enums import MatchedField, SearchMode
from datastorage.domain.remediation import RemediationAudit
from datastorage.search.terms import terms
from datastorage.services.incident_text import headline_of


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A stored incident, how much it resembles the question, and why it stands where it stands."""

    incident: RemediationAudit
    score: float | None  # None for what no leg has ranked
    similarity: float | None  # None without a vector
    vector_rank: int | None  # None where the leg did not find it
    lexical_rank: int | None
    matched_terms: Sequence[str]
    term_coverage: float  # share of what the question's words say that the incident says too
    signature: bool
    occurrences: int
    first_seen: datetime
    last_seen: datetime

    @property
    def matched_fields(self) -> list[MatchedField]:
        """Where the matched terms are."""
        audit, matched, fields = self.incident, frozenset(self.matched_terms), []
        left = set(matched)
        texts = (
            (MatchedField.HEADLINE, headline_of(audit)),
            (MatchedField.ERROR_MESSAGE, audit.error_message),
            (MatchedField.RESOLUTION, audit.resolution),
        )
        for field, text in texts:
            found = matched.intersection(terms(text or ""))
            if found:
                fields.append(field)
            left -= found
        if left:
            fields.append(MatchedField.OTHER)
        return [*fields, MatchedField.SIGNATURE] if self.signature else fields


@dataclass(frozen=True, slots=True)
class SimilarIncidentsFound:
    """The hits, and how they were found."""

    mode: SearchMode
    exhaustive: bool
    degraded_reason: str | None
    model: str | None
    hits: Sequence[SimilarIncident]
