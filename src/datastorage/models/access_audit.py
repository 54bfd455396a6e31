"""access_audit: who wanted what, and what became of it. Append only: a trigger refuses everything else."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, text

from datastorage.domain.access import AccessOutcome
from datastorage.models.base import Member, identity, key, metadata, one_of, stamp

access_audit = Table(
    "access_audit",
    metadata,
    identity(),
    stamp("recorded_at"),
    Column("outcome", Member(AccessOutcome), nullable=False),
    Column("principal", key()),
    Column("declared_actor", key()),
    Column("address", key(64)),
    Column("request_id", key(128)),
    Column("operation", String(255)),
    Column("field", key(100)),
    Column("subject", key()),
    Column("reason", String(255)),
    Column("times", Integer, nullable=False, server_default=text("1")),
    one_of("outcome", AccessOutcome),
    CheckConstraint("times >= 1", name="times"),
)
_c = access_audit.c

Index("ix_access_audit_recorded_at", _c.recorded_at, _c.id)
Index("ix_access_audit_principal", _c.principal, _c.recorded_at, _c.id)
