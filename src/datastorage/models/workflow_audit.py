"""workflow_audit: plans of steps, moved through their phases."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from datastorage.domain.enums import WorkflowPhase
from datastorage.models.base import TIME, Member, identity, index_ignoring_case, key, metadata, one_of, stamp

workflow_audit = Table(
    "workflow_audit",
    metadata,
    identity(),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("workflow_id", key(), nullable=False),
    Column("remediation_request_id", key(), nullable=False),
    Column("phase", Member(WorkflowPhase), nullable=False),
    Column("total_steps", Integer, nullable=False),
    Column("completed_steps", Integer, nullable=False),
    Column("start_time", TIME, nullable=False),
    Column("end_time", TIME),
    Column("namespace", key()),
    Column("cluster_name", key()),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    stamp("created_at"),
    stamp("updated_at"),
    UniqueConstraint("workflow_id"),
    one_of("phase", WorkflowPhase),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("0 <= completed_steps AND completed_steps <= total_steps", name="completed_steps"),
    CheckConstraint("end_time >= start_time", name="end_time"),
    CheckConstraint("jsonb_typeof(metadata) = 'object'", name="metadata"),
)
_c = workflow_audit.c
for _column in (_c.remediation_request_id, _c.namespace, _c.phase):
    Index(f"ix_workflow_audit_{_column.name}", _column, _c.start_time.desc(), _c.id.desc())
index_ignoring_case(_c.workflow_id)
Index("ix_workflow_audit_start_time", _c.start_time.desc(), _c.id.desc())
