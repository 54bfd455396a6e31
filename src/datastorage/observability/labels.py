"""The values that labels of metrics may have."""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """A value of a label. Hashed as the text that it is: Enum's own way is slower than all the rest of a measurement."""

    __hash__ = str.__hash__


class Table(Label):
    """Tables that writes are counted for."""

    REMEDIATION = "remediation_audit"
    AI_ANALYSIS = "ai_analysis_audit"
    WORKFLOW = "workflow_audit"
    EXECUTION = "execution_audit"


class Status(Label):
    """How it went; failure is our fault only, refused input is no failure."""

    SUCCESS = "success"
    FAILURE = "failure"


class DualWriteFailure(Label):
    """Why a unit of work did not reach both stores."""

    POSTGRESQL = "postgresql_failure"
    VECTORDB = "vectordb_failure"
    VALIDATION = "validation_failure"
    CANCELED = "context_canceled"
    ROLLBACK = "transaction_rollback"
    UNKNOWN = "unknown"


class QueryOperation(Label):
    """Kinds of root query fields."""

    GET = "get"
    LIST = "list"
    FILTER = "filter"
    AGGREGATE = "aggregate"
    SEMANTIC_SEARCH = "semantic_search"


class FaultField(Label):
    """Fields that validation failures are counted for."""

    NAME = "name"
    NAMESPACE = "namespace"
    PHASE = "phase"
    STATUS = "status"
    ACTION_TYPE = "action_type"
    SEVERITY = "severity"
    TARGET_RESOURCE = "target_resource"
    OTHER = "other"


class RejectedCode(Label):
    """Refusals that are nobody's failure."""

    CONFLICT = "conflict"
    NOT_FOUND = "not_found"
    INVALID_TRANSITION = "invalid_transition"
    FORBIDDEN = "forbidden"


class EmbeddingOutcome(Label):
    """How a call of the embedding provider ended."""

    OK = "ok"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    ERROR = "error"


class CircuitName(Label):
    """Dependencies behind a circuit breaker."""

    EMBEDDING = "embedding"
    CACHE = "cache"
    VECTOR_ENGINE = "vector_engine"
    RATE_LIMITS = "rate_limits"
    DOCUMENTS = "documents"


class Sanitization(Label):
    """Changes that are made to free text."""

    TRIMMED = "trimmed"
    CONTROL_REMOVED = "control_removed"
    REDACTED = "redacted"
    HTML_ENCODED = "html_encoded"  # on its way out


class Pool(Label):
    """What the database connections of a process are kept for; none is lent to another pool."""

    ROWS = "rows"  # reads that go straight to the driver
    READS = "reads"
    WRITES = "writes"
    PROBES = "probes"
    REPLICA_ROWS = "replica_rows"
    REPLICA_READS = "replica_reads"


class OutboxEntry(Label):
    """What outbox entries wait for."""

    EMBED = "embed"
    MIRROR = "mirror"


class CircuitState(Label):
    """Whether a dependency is asked: always, not for a while, or by a few probes."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Executor(Label):
    """Who answered an operation."""

    COMPILED = "compiled"
    REFERENCE = "reference"
    FALLBACK = "fallback"  # asked for before, and not to be compiled


class ThrottledBy(Label):
    """Which limit a request met."""

    ADDRESS = "address"
    PRINCIPAL = "principal"
    IN_FLIGHT = "in_flight"


class DocumentLookup(Label):
    """What became of a request that names its document."""

    TRUSTED = "trusted"
    PERSISTED = "persisted"
    REGISTERED = "registered"  # sent along, and remembered
    NOT_FOUND = "not_found"
    REFUSED = "refused"  # only trusted documents are executed


class AuthenticationFailure(Label):
    """Why a request was not let in."""

    MISSING = "missing"  # it shows no credential
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"  # whoever would know does not answer


class CutOff(Label):
    """Why a connection was ended against its client's will."""

    SLOW = "slow"  # it took too long to send a request, or to take in an answer
    CROWDED = "crowded"  # more were open than one process keeps
