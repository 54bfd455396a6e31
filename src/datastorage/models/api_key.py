"""api_key: clients that authenticate with a secret of ours. The secret itself is kept nowhere."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, text
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.domain.caller import Role
from datastorage.models.base import TIME, Member, identity, key, metadata, one_of, stamp

api_key = Table(
    "api_key",
    metadata,
    identity(),
    Column("name", key(100), nullable=False),
    Column("prefix", key(16), nullable=False, unique=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("role", Member(Role)),
    Column("rights", ARRAY(key(20))),
    Column("namespaces", ARRAY(key())),
    Column("clusters", ARRAY(key())),
    stamp("created_at"),
    Column("expires_at", TIME),
    Column("revoked_at", TIME),
    Column("last_used_at", TIME),
    one_of("role", Role),
    CheckConstraint("octet_length(secret_hash) = 32", name="secret_hash"),
    CheckConstraint("(role IS NULL) <> (rights IS NULL)", name="rights"),
)
_c = api_key.c

# What has not been revoked; of one name there are two while it is rotated.
Index("ix_api_key_name", _c.name, postgresql_where=text("revoked_at IS NULL"))
