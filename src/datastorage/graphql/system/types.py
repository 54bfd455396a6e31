"""The system's status as clients see it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from datastorage.graphql.system.enums import CircuitName, CircuitState, EngineMode, OutboxKind


@strawberry.type(
    description="The vector engine that may stand beside PostgreSQL, as the answering process sees it."
)
class VectorEngineStatus:
    """A view of `services.system_status.EngineStatus`."""

    configured: bool = strawberry.field(description="Whether the settings name one.")
    available: bool = strawberry.field(description="Whether it is in use: it answers, and is prepared.")
    since: datetime | None = strawberry.field(
        description="Since when it is in use or out of use; null if none is configured."
    )
    reason: str | None = strawberry.field(
        description="Why it is out of use, or searches do not ask it yet; null while all is well."
    )


@strawberry.type(description="Texts that wait for one thing to be done about them, of all embedding models.")
class OutboxStatus:
    """A view of `services.system_status.OutboxStatus`."""

    kind: OutboxKind = strawberry.field(description="What is to be done.")
    waiting: int = strawberry.field(description="How many texts wait; parked ones do not count.")
    leased: int = strawberry.field(description="How many of these are being worked on.")
    parked: int = strawberry.field(
        description="How many texts were refused and are not tried any more; `datastorage outbox status` says why."
    )
    oldest_age_s: float | None = strawberry.field(
        description="How long the longest waiting one has waited, in seconds; null if none waits."
    )


@strawberry.type(description="The circuit breaker before a dependency, in the answering process.")
class CircuitStatus:
    """A view of `services.system_status.Circuit`."""

    name: CircuitName = strawberry.field(description="The dependency.")
    state: CircuitState = strawberry.field(description="Whether it is asked, as of the last call.")


@strawberry.type(
    description="How the service and what it depends on stand. Modes and breakers are those of the process that "
    "answers; replicas and workers find out for themselves, seconds apart."
)
class SystemStatus:
    """A view of `services.system_status.SystemStatus`."""

    version: str = strawberry.field(description="The version of the service.")
    mode: EngineMode = strawberry.field(description="Where vectors are kept and searched now.")
    database_up: bool = strawberry.field(description="Whether PostgreSQL answers.")
    vector_engine: VectorEngineStatus = strawberry.field(description="The vector engine beside PostgreSQL.")
    outbox: list[OutboxStatus] | None = strawberry.field(
        description="What waits to be done, one entry for every kind; null while PostgreSQL does not answer."
    )
    embedding_model: str | None = strawberry.field(
        description="The model that new vectors come from; null if embeddings are off."
    )
    circuits: list[CircuitStatus] = strawberry.field(description="Every circuit breaker.")
