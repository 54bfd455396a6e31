"""The closed sets of the records. Values are what the database, JSONL and logs hold."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a remediation stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class WorkflowPhase(StrEnum):
    """Where a workflow stands."""

    PLANNING = "planning"
    EXECUTING = "executing"
    COMPLETED = "completed"
    FAILED = "failed"


class Status(StrEnum):
    """How a remediation turned out so far."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"
    RUNNING = "running"


class Severity(StrEnum):
    """How severe the alert was."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    WARNING = "warning"
    INFO = "info"
    UNKNOWN = "unknown"


class SubjectKind(StrEnum):
    """Kinds of records that events tell of."""

    REMEDIATION = "remediation"
    ANALYSIS = "analysis"
    WORKFLOW = "workflow"
    EXECUTION = "execution"


class EventKind(StrEnum):
    """What happened to a record."""

    CREATED = "created"
    PHASE_CHANGED = "phase_changed"
    UPDATED = "updated"
    FEEDBACK_RECORDED = "feedback_recorded"
    DELETED = "deleted"


class Similarity(StrEnum):
    """Whether a stored incident can be found by its meaning already."""

    INDEXED = "indexed"
    PENDING = "pending"
    DISABLED = "disabled"


class ValidationOutcome(StrEnum):
    """What a create would have led to."""

    CREATED = "created"
    REPLAYED = "replayed"
    CONFLICT = "conflict"
    REFUSED = "refused"


class SearchMode(StrEnum):
    """Which legs of the search are asked, and which answered."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    LEXICAL = "lexical"


class MatchedField(StrEnum):
    """Parts of an incident that a question can have words in common with."""

    HEADLINE = "headline"
    ERROR_MESSAGE = "error_message"
    RESOLUTION = "resolution"
    OTHER = "other"  # root causes, name, action, target
    SIGNATURE = "signature"


class OutboxKind(StrEnum):
    """What is still to be done about a text after its record was stored."""

    EMBED = "embed"  # find its vector
    MIRROR = "mirror"  # hand its vector to the vector engine
