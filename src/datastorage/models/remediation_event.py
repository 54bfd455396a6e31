"""remediation_event: what happened to the records, append only, written in the transaction that did it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

from datastorage.domain.enums import EventKind, SubjectKind
from datastorage.models.base import Member, identity, key, metadata, one_of, stamp


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return "xid8"


remediation_event = Table(
    "remediation_event",
    metadata,
    identity(),
    Column("remediation_request_id", key()),
    Column("subject_kind", Member(SubjectKind), nullable=False),
    Column("subject_key", key(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Member(EventKind), nullable=False),
    Column("transaction_id", Xid8, nullable=False, server_default=func.pg_current_xact_id()),
    stamp("recorded_at"),
    Column("actor", key(), nullable=False),
    Column("declared_actor", key()),
    Column("namespace", key()),
    Column("cluster_name", key()),
    Column("changes", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    one_of("subject_kind", SubjectKind),
    one_of("kind", EventKind),
)
_c = remediation_event.c

# One event for each version of a record; feedback and deletion change no row.
Index(
    "uq_remediation_event_subject_version",
    _c.subject_kind,
    _c.subject_key,
    _c.version,
    unique=True,
    postgresql_where=text("kind IN ('created', 'phase_changed', 'updated')"),
)
Index("ix_remediation_event_remediation_request_id", _c.remediation_request_id, _c.recorded_at, _c.id)
