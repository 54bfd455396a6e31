"""Remediation audits, their events, and the vectors of their texts.

Revision: 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("clock_timestamp()")
EMPTY_OBJECT = sa.text("'{}'::jsonb")


class Raw(sa.types.UserDefinedType):
    """A type of PostgreSQL or pgvector by its name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        """The name in SQL."""
        return self.name


def key(length: int = 255) -> sa.String:
    return sa.String(length, collation="C")


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    create_remediation_audit()
    create_remediation_event()
    create_incident_embedding()
    op.create_table(
        "schema_compatibility",
        sa.Column("revision", sa.String(32), primary_key=True),
        sa.Column("oldest_release", sa.String(32), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False, server_default=NOW),
    )


def create_remediation_audit() -> None:
    op.create_table(
        "remediation_audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("remediation_request_id", key(), nullable=False),
        sa.Column("name", key(), nullable=False),
        sa.Column("namespace", key(), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("action_type", key(100), nullable=False),
        sa.Column("action_parameters", postgresql.JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("start_time", TIME, nullable=False),
        sa.Column("end_time", TIME),
        sa.Column("duration_ms", sa.BigInteger),
        sa.Column("alert_fingerprint", key(), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("environment", key(50), nullable=False),
        sa.Column("cluster_name", key(), nullable=False),
        sa.Column("target_resource", key(512), nullable=False),
        sa.Column("target_kind", key(512), nullable=False),
        sa.Column("target_namespace", key(512)),
        sa.Column("target_name", key(512), nullable=False),
        sa.Column("error_message", sa.Text),
        sa.Column("resolution", sa.Text),
        sa.Column("metadata", postgresql.JSONB, nullable=False, server_default=EMPTY_OBJECT),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.Column("updated_at", TIME, nullable=False, server_default=NOW),
        sa.UniqueConstraint("remediation_request_id", name="uq_remediation_audit_remediation_request_id"),
        *checks(
            "remediation_audit",
            phase="phase IN ('pending', 'processing', 'completed', 'failed')",
            status="status IN ('success', 'failure', 'pending', 'running')",
            severity="severity IN ('critical', 'high', 'medium', 'low', 'warning', 'info', 'unknown')",
            version="version >= 1",
            end_time="end_time >= start_time",
            duration_ms="(duration_ms IS NULL) = (end_time IS NULL) AND duration_ms >= 0",
            content_hash="octet_length(content_hash) = 32",
            metadata="jsonb_typeof(metadata) = 'object'",
            action_parameters="jsonb_typeof(action_parameters) = 'object'",
            error_message_size="octet_length(error_message) <= 10240",
            resolution_size="octet_length(resolution) <= 10240",
        ),
    )
    newest_first = [sa.text("start_time DESC"), sa.text("id DESC")]
    for column in ("namespace", "phase", "status", "alert_fingerprint", "content_hash"):
        op.create_index(f"ix_remediation_audit_{column}", "remediation_audit", [column, *newest_first])
    op.create_index("ix_remediation_audit_start_time", "remediation_audit", newest_first)
    op.create_index(
        "ix_remediation_audit_metadata",
        "remediation_audit",
        ["metadata"],
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    )


def create_remediation_event() -> None:
    op.create_table(
        "remediation_event",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("remediation_request_id", key()),
        sa.Column("subject_kind", sa.String(20), nullable=False),
        sa.Column("subject_key", key(), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column(
            "transaction_id", Raw("xid8"), nullable=False, server_default=sa.text("pg_current_xact_id()")
        ),
        sa.Column("recorded_at", TIME, nullable=False, server_default=NOW),
        sa.Column("actor", key(), nullable=False),
        sa.Column("declared_actor", key()),
        sa.Column("namespace", key()),
        sa.Column("cluster_name", key()),
        sa.Column("changes", postgresql.JSONB, nullable=False, server_default=EMPTY_OBJECT),
        *checks(
            "remediation_event",
            subject_kind="subject_kind IN ('remediation', 'analysis', 'workflow', 'execution')",
            kind="kind IN ('created', 'phase_changed', 'updated', 'feedback_recorded', 'deleted')",
        ),
    )
    op.create_index(
        "uq_remediation_event_subject_version",
        "remediation_event",
        ["subject_kind", "subject_key", "version"],
        unique=True,
        postgresql_where=sa.text("kind IN ('created', 'phase_changed', 'updated')"),
    )
    op.create_index(
        "ix_remediation_event_remediation_request_id",
        "remediation_event",
        ["remediation_request_id", "recorded_at", "id"],
    )


def create_incident_embedding() -> None:
    op.create_table(
        "incident_embedding",
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("model", key(), nullable=False),
        sa.Column("vector", Raw("halfvec"), nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("content_hash", "model", name="pk_incident_embedding"),
        *checks(
            "incident_embedding",
            content_hash="octet_length(content_hash) = 32",
            default_dimensions="model <> 'wordllama-l2-supercat-256' OR vector_dims(vector) = 256",
        ),
    )


def checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [
        # op.f: the name is whole; else the naming convention would prefix it once more
        sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))
        for name, condition in conditions.items()
    ]


def downgrade() -> None:
    for table in ("schema_compatibility", "incident_embedding", "remediation_event", "remediation_audit"):
        op.drop_table(table)
