"""outbox: what is still to be done about a text once its record stands. A reference only, gone when it is done."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from datastorage.domain.enums import OutboxKind
from datastorage.models.base import TIME, Member, key, metadata, one_of, stamp

outbox = Table(
    "outbox",
    metadata,
    Column("kind", Member(OutboxKind), nullable=False),
    Column("model", key(), nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    stamp("created_at"),
    stamp("not_before"),
    Column("leased_until", TIME),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("parked_at", TIME),  # not tried again until somebody asks for it
    Column("fault", Text),
    PrimaryKeyConstraint("kind", "model", "content_hash"),
    one_of("kind", OutboxKind),
    CheckConstraint("octet_length(content_hash) = 32", name="content_hash"),
    CheckConstraint("attempts >= 0", name="attempts"),
    CheckConstraint("(parked_at IS NULL) = (fault IS NULL)", name="parked_at"),
)
_c = outbox.c

Index("ix_outbox_waiting", _c.kind, _c.model, _c.not_before, postgresql_where=_c.parked_at.is_(None))
