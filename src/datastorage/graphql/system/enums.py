"""The enums of the system's status."""

from __future__ import annotations

from datastorage.domain.enums import OutboxKind
from datastorage.graphql.enums import described
from datastorage.resilience import CircuitName, CircuitState
from datastorage.services.second_engine import EngineMode

__all__ = ["CircuitName", "CircuitState", "EngineMode", "OutboxKind"]

described(
    "Where the vectors of incidents are kept and searched. PostgreSQL always keeps all of them.",
    name="EngineMode",
    SINGLE="In PostgreSQL alone, as configured.",
    DUAL="In PostgreSQL and in the vector engine beside it, which is in use.",
    POSTGRESQL_ONLY="In PostgreSQL alone, because the vector engine is out of use. Nothing is lost: what it misses "
    "waits in the outbox, and it is put back into use by itself.",
)(EngineMode)

described(
    "What can be left to do about an incident's text after the incident was stored.",
    EMBED="Its vector is still to be computed.",
    MIRROR="The vector engine is still to be told that its vector was stored or removed.",
)(OutboxKind)

described(
    "Dependencies that are left alone for a while when they fail repeatedly.",
    EMBEDDING="The embedding provider.",
    CACHE="The shared cache of embeddings.",
    VECTOR_ENGINE="The vector engine beside PostgreSQL.",
    RATE_LIMITS="Redis, which replicas share rate limits through.",
    DOCUMENTS="Redis, which replicas share persisted documents through.",
)(CircuitName)

described(
    "Whether a dependency is asked.",
    CLOSED="It is; all is well, or it is not configured.",
    OPEN="Not for a while: it failed repeatedly.",
    HALF_OPEN="By a few calls, which find out whether it is back.",
)(CircuitState)
