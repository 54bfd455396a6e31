"""The enums of the API: domain enums and the API's own, each member described."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from datastorage.domain.enums import (
    EventKind,
    MatchedField,
    Phase,
    SearchMode,
    Severity,
    Similarity,
    Status,
    SubjectKind,
    ValidationOutcome,
    WorkflowPhase,
)
from datastorage.errors import FaultReason

__all__ = [
    "ErrorCode",
    "EventKind",
    "FaultReason",
    "MatchedField",
    "NullsPlace",
    "OrderDirection",
    "Phase",
    "SearchMode",
    "Severity",
    "Similarity",
    "Status",
    "SubjectKind",
    "TextFormat",
    "ValidationOutcome",
    "WorkflowPhase",
    "described",
]

E = TypeVar("E", bound=type[enum.Enum])


def described(description: str, *, name: str | None = None, **members: str) -> Callable[[E], E]:
    """Makes a GraphQL enum of a class; every member must be described, by its name."""

    def make(kind: E) -> E:
        strawberry.enum(kind, name=name, description=description)
        definition: Any = kind.__strawberry_definition__  # type: ignore[attr-defined]
        for value in definition.values:
            value.description = members[value.name]
        return kind

    return make


described(
    "Where a remediation stands.",
    PENDING="Asked for, not begun.",
    PROCESSING="Being worked on.",
    COMPLETED="Ended well; final.",
    FAILED="Ended badly; may be tried again.",
)(Phase)

described(
    "How a remediation turned out so far.",
    SUCCESS="It helped.",
    FAILURE="It did not help.",
    PENDING="Not begun.",
    RUNNING="Not known yet.",
)(Status)

described(
    "Where a workflow stands.",
    PLANNING="Steps are being chosen.",
    EXECUTING="Steps are being carried out.",
    COMPLETED="All steps were carried out; final.",
    FAILED="A step failed; may be tried again.",
)(WorkflowPhase)

described(
    "Kinds of records that events tell of.",
    REMEDIATION="A remediation audit.",
    ANALYSIS="An AI-analysis audit.",
    WORKFLOW="A workflow audit.",
    EXECUTION="An execution audit.",
)(SubjectKind)

described(
    "What happened to a record.",
    CREATED="It was stored.",
    PHASE_CHANGED="It moved to another phase, and perhaps changed otherwise.",
    UPDATED="It changed within its phase.",
    FEEDBACK_RECORDED="Somebody said whether a similar incident helped.",
    DELETED="It was deleted; nothing of what it was is kept.",
)(EventKind)

described(
    "How severe the alert was.",
    CRITICAL="Users suffer now.",
    HIGH="Users will suffer soon.",
    MEDIUM="Something is impaired.",
    LOW="Worth mending some day.",
    WARNING="Not yet a fault.",
    INFO="For the record.",
    UNKNOWN="The alert did not say.",
)(Severity)

described(
    "Whether a stored incident can be found by its meaning.",
    name="SimilarityState",
    INDEXED="It can.",
    PENDING="Not yet: its vector is still to be computed.",
    DISABLED="Embeddings are switched off.",
)(Similarity)

described(
    "What a create would lead to.",
    CREATED="The audit would be stored.",
    REPLAYED="The same audit stands already; nothing would be written.",
    CONFLICT="Its key is taken by other content.",
    REFUSED="Some fields would be refused.",
)(ValidationOutcome)

described(
    "Which legs of the search answered.",
    HYBRID="Meaning and words together.",
    VECTOR="Meaning: the nearest embedded texts.",
    LEXICAL="Words.",
)(SearchMode)

described(
    "Parts of an incident that a text can have words in common with.",
    HEADLINE="Its headline: `summary`, `title` or `alertname` of the metadata, else its name.",
    ERROR_MESSAGE="Its error message.",
    RESOLUTION="What helped.",
    OTHER="Root causes that analyses found, name, action or target.",
    SIGNATURE="An error line or a piece of the stack is the same, but for what differs between occurrences.",
)(MatchedField)

described(
    "Why a field was refused.",
    REQUIRED="It is missing.",
    INVALID="It does not fit the format, type or closed set.",
    LENGTH_EXCEEDED="It is too long.",
    WHITESPACE_ONLY="Nothing is left after trimming.",
    XSS_DETECTED="It does not fit the format, and looks like script injection.",
    SQL_INJECTION_DETECTED="It does not fit the format, and looks like SQL injection.",
)(FaultReason)


@described(
    "Kind of a typed mutation error.",
    VALIDATION="The input was refused.",
    CONFLICT="The key holds other content, or the version moved on.",
    NOT_FOUND="There is no such record.",
    INVALID_TRANSITION="The phase cannot move this way.",
    FORBIDDEN="The caller may not do this.",
    UNAVAILABLE="Not now; repeating the request is safe.",
)
class ErrorCode(enum.Enum):
    """Kind of a typed mutation error."""

    VALIDATION = "VALIDATION"
    CONFLICT = "CONFLICT"
    NOT_FOUND = "NOT_FOUND"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    FORBIDDEN = "FORBIDDEN"
    UNAVAILABLE = "UNAVAILABLE"


@described(
    "How free text is written into an answer.",
    PLAIN="As stored.",
    HTML="Encoded, safe to put into a page.",
)
class TextFormat(enum.Enum):
    """How free text is written into an answer."""

    PLAIN = "PLAIN"
    HTML = "HTML"


@described("Direction of an order.", ASC="Smallest or earliest first.", DESC="Greatest or latest first.")
class OrderDirection(enum.Enum):
    """Direction of an order."""

    ASC = "ASC"
    DESC = "DESC"


@described("Where rows without a value come.", FIRST="Before all others.", LAST="After all others.")
class NullsPlace(enum.Enum):
    """Where rows without a value come."""

    FIRST = "FIRST"
    LAST = "LAST"
