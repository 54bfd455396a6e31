"""API keys, and who wanted what with which outcome.

Revision: 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("clock_timestamp()")
# Not even the service changes what it noted down. Whoever owns the table can: they disable the trigger, and that shows.
REFUSE = """
CREATE FUNCTION access_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'access_audit is append only' USING ERRCODE = 'insufficient_privilege'; END$$
"""
TRIGGER = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON access_audit
FOR EACH STATEMENT EXECUTE FUNCTION access_audit_is_append_only()
"""


def key(length: int = 255) -> sa.String:
    """Compared byte by byte."""
    return sa.String(length, collation="C")


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", key(100), nullable=False),
        sa.Column("prefix", key(16), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("role", sa.String(20)),
        sa.Column("rights", ARRAY(key(20))),
        sa.Column("namespaces", ARRAY(key())),
        sa.Column("clusters", ARRAY(key())),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.Column("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.Column("last_used_at", TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
        sa.CheckConstraint("role IN ('reader', 'writer', 'admin')", name=op.f("ck_api_key_role")),
        sa.CheckConstraint("octet_length(secret_hash) = 32", name=op.f("ck_api_key_secret_hash")),
        sa.CheckConstraint("(role IS NULL) <> (rights IS NULL)", name=op.f("ck_api_key_rights")),
    )
    op.create_index("ix_api_key_name", "api_key", ["name"], postgresql_where=sa.text("revoked_at IS NULL"))
    op.create_table(
        "access_audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False, server_default=NOW),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("principal", key()),
        sa.Column("declared_actor", key()),
        sa.Column("address", key(64)),
        sa.Column("request_id", key(128)),
        sa.Column("operation", sa.String(255)),
        sa.Column("field", key(100)),
        sa.Column("subject", key()),
        sa.Column("reason", sa.String(255)),
        sa.Column("times", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_audit")),
        sa.CheckConstraint(
            "outcome IN ('allowed', 'refused', 'denied', 'unauthenticated', 'failed')",
            name=op.f("ck_access_audit_outcome"),
        ),
        sa.CheckConstraint("times >= 1", name=op.f("ck_access_audit_times")),
    )
    op.create_index("ix_access_audit_recorded_at", "access_audit", ["recorded_at", "id"])
    op.create_index("ix_access_audit_principal", "access_audit", ["principal", "recorded_at", "id"])
    op.execute(REFUSE)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.drop_table("access_audit")
    op.execute("DROP FUNCTION access_audit_is_append_only()")
    op.drop_table("api_key")
