"""Plain Strawberry: the schema, the ORM and the data loader as Strawberry's and SQLAlchemy's documentation show them.

The same table, the same fields; no rights, no limits, no events, no search.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.scalars import JSON

from datastorage.domain.enums import Phase, Severity, Status
from datastorage.models import ai_analysis_audit, remediation_audit
from datastorage.models import metadata as tables

engine = create_async_engine(os.environ["SQLALCHEMY_URL"], pool_size=16, max_overflow=0)
make_session = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def session() -> AsyncIterator[AsyncSession]:
    """A session in a transaction."""
    async with make_session() as opened, opened.begin():
        yield opened


PhaseName = strawberry.enum(Phase, name="Phase")
StatusName = strawberry.enum(Status, name="Status")
SeverityName = strawberry.enum(Severity, name="Severity")


class Base(DeclarativeBase):
    """Entities of the tables that are there."""

    metadata = tables


class RemediationEntity(Base):
    """A row of remediation_audit."""

    __table__ = remediation_audit


class AnalysisEntity(Base):
    """A row of ai_analysis_audit."""

    __table__ = ai_analysis_audit


@strawberry.type
class Analysis:
    """An analysis."""

    analysis_id: str
    confidence_score: float
    root_cause: str | None


@strawberry.type
class Analyses:
    """A list of analyses."""

    nodes: list[Analysis]


@strawberry.type
class RemediationAudit:
    """A remediation."""

    database_id: int
    remediation_request_id: str
    name: str
    namespace: str
    phase: PhaseName
    status: StatusName
    action_type: str
    start_time: datetime
    duration_ms: int | None
    severity: SeverityName
    cluster_name: str
    target_resource: str

    @strawberry.field
    async def analyses(self, info: strawberry.Info, first: int) -> Analyses:
        """The newest analyses."""
        found = await info.context["analyses"].load(self.remediation_request_id)
        return Analyses(
            nodes=[
                Analysis(
                    analysis_id=entity.analysis_id,
                    confidence_score=entity.confidence_score,
                    root_cause=entity.root_cause,
                )
                for entity in found[:first]
            ]
        )


@strawberry.type
class RemediationAudits:
    """A list of remediations."""

    nodes: list[RemediationAudit]


def shown(entity: RemediationEntity) -> RemediationAudit:
    """The entity as the API has it."""
    return RemediationAudit(
        database_id=entity.id,
        remediation_request_id=entity.remediation_request_id,
        name=entity.name,
        namespace=entity.namespace,
        phase=entity.phase,
        status=entity.status,
        action_type=entity.action_type,
        start_time=entity.start_time,
        duration_ms=entity.duration_ms,
        severity=entity.severity,
        cluster_name=entity.cluster_name,
        target_resource=entity.target_resource,
    )


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def remediation_audits(
        self,
        first: int,
        namespace: str | None = None,
        phase: PhaseName | None = None,
        oldest_first: bool = False,
    ) -> RemediationAudits:
        """Remediations by time."""
        table = RemediationEntity
        statement = select(table).limit(first)
        if namespace is not None:
            statement = statement.where(table.namespace == namespace)
        if phase is not None:
            statement = statement.where(table.phase == phase)
        if oldest_first:
            statement = statement.order_by(table.start_time, table.id)
        else:
            statement = statement.order_by(table.start_time.desc(), table.id.desc())
        async with session() as opened:
            return RemediationAudits(nodes=[shown(entity) for entity in await opened.scalars(statement)])

    @strawberry.field
    async def remediation_audit(self, request_id: str) -> RemediationAudit | None:
        """One remediation."""
        statement = select(RemediationEntity).where(RemediationEntity.remediation_request_id == request_id)
        async with session() as opened:
            entity = await opened.scalar(statement)
        return None if entity is None else shown(entity)


@strawberry.input
class CreateRemediationAuditInput:
    """A remediation to be stored."""

    remediation_request_id: str
    name: str
    namespace: str
    phase: PhaseName
    status: StatusName
    action_type: str
    action_parameters: JSON
    start_time: datetime
    end_time: datetime | None
    duration_ms: int | None
    alert_fingerprint: str
    severity: SeverityName
    environment: str
    cluster_name: str
    target_resource: str
    target_kind: str
    target_namespace: str | None
    target_name: str
    error_message: str | None
    resolution: str | None
    metadata: JSON
    content_hash: str


@strawberry.type
class CreateRemediationAuditPayload:
    """What was stored."""

    remediation_audit: RemediationAudit


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    async def create_remediation_audit(
        self, input: CreateRemediationAuditInput
    ) -> CreateRemediationAuditPayload:
        """Stores a remediation."""
        values = {**vars(input), "content_hash": bytes.fromhex(input.content_hash)}
        entity = RemediationEntity(**values)
        async with session() as opened:
            opened.add(entity)
        return CreateRemediationAuditPayload(remediation_audit=shown(entity))


async def newest_analyses(request_ids: list[str]) -> Sequence[list[AnalysisEntity]]:
    """What was found about some remediations."""
    table = AnalysisEntity
    statement = (
        select(table)
        .where(table.remediation_request_id.in_(request_ids))
        .order_by(table.created_at.desc(), table.id.desc())
    )
    found: dict[str, list[AnalysisEntity]] = {request_id: [] for request_id in request_ids}
    async with session() as opened:
        for entity in await opened.scalars(statement):
            found[entity.remediation_request_id].append(entity)
    return list(found.values())


class App(GraphQL):
    """Each request has a loader of its own."""

    async def get_context(self, request: Any, response: Any) -> dict[str, Any]:
        """What resolvers find in `info.context`."""
        return {"request": request, "response": response, "analyses": DataLoader(newest_analyses)}


app = App(strawberry.Schema(Query, Mutation))
