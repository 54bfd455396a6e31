"""analyses, workflows and executions around the remediations.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("clock_timestamp()")


def key(length: int = 255) -> sa.String:
    return sa.String(length, collation="C")


def identity() -> sa.Column:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True)


def place() -> list[sa.Column]:
    return [
        sa.Column("namespace", key()),
        sa.Column("cluster_name", key()),
        sa.Column("metadata", postgresql.JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    ]


def stamp(name: str) -> sa.Column:
    return sa.Column(name, TIME, nullable=False, server_default=NOW)


def checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    conditions = {"metadata": "jsonb_typeof(metadata) = 'object'", **conditions}
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))
        for name, condition in conditions.items()
    ]


def index(table: str, *columns: str, newest_by: str) -> None:
    newest_first = [sa.text(f"{newest_by} DESC"), sa.text("id DESC")]
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column, *newest_first])
    op.create_index(f"ix_{table}_{newest_by}", table, newest_first)


def upgrade() -> None:
    create_ai_analysis_audit()
    create_workflow_audit()
    create_execution_audit()


def create_ai_analysis_audit() -> None:
    table = "ai_analysis_audit"
    op.create_table(
        table,
        identity(),
        sa.Column("analysis_id", key(), nullable=False),
        sa.Column("remediation_request_id", key(), nullable=False),
        sa.Column("provider", key(100), nullable=False),
        sa.Column("model", key(), nullable=False),
        sa.Column("confidence_score", sa.Double, nullable=False),
        sa.Column("tokens_used", sa.BigInteger, nullable=False),
        sa.Column("analysis_duration_ms", sa.BigInteger, nullable=False),
        sa.Column("root_cause", sa.Text),
        sa.Column("recommended_action", sa.Text),
        *place(),
        stamp("created_at"),
        sa.UniqueConstraint("analysis_id", name="uq_ai_analysis_audit_analysis_id"),
        *checks(
            table,
            confidence_score="confidence_score BETWEEN 0 AND 1",
            tokens_used="tokens_used >= 0",
            analysis_duration_ms="analysis_duration_ms >= 0",
            root_cause_size="octet_length(root_cause) <= 10240",
            recommended_action_size="octet_length(recommended_action) <= 10240",
        ),
    )
    index(table, "remediation_request_id", "namespace", newest_by="created_at")


def create_workflow_audit() -> None:
    table = "workflow_audit"
    op.create_table(
        table,
        identity(),
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("workflow_id", key(), nullable=False),
        sa.Column("remediation_request_id", key(), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("total_steps", sa.Integer, nullable=False),
        sa.Column("completed_steps", sa.Integer, nullable=False),
        sa.Column("start_time", TIME, nullable=False),
        sa.Column("end_time", TIME),
        *place(),
        stamp("created_at"),
        stamp("updated_at"),
        sa.UniqueConstraint("workflow_id", name="uq_workflow_audit_workflow_id"),
        *checks(
            table,
            phase="phase IN ('planning', 'executing', 'completed', 'failed')",
            version="version >= 1",
            completed_steps="0 <= completed_steps AND completed_steps <= total_steps",
            end_time="end_time >= start_time",
        ),
    )
    index(table, "remediation_request_id", "namespace", "phase", newest_by="start_time")


def create_execution_audit() -> None:
    table = "execution_audit"
    op.create_table(
        table,
        identity(),
        sa.Column("execution_id", key(), nullable=False),
        sa.Column("workflow_id", key(), nullable=False),
        sa.Column("remediation_request_id", key()),
        sa.Column("action_type", key(100), nullable=False),
        sa.Column("target_resource", key(512), nullable=False),
        sa.Column("target_kind", key(512), nullable=False),
        sa.Column("target_namespace", key(512)),
        sa.Column("target_name", key(512), nullable=False),
        sa.Column("success", sa.Boolean, nullable=False),
        sa.Column("start_time", TIME, nullable=False),
        sa.Column("end_time", TIME),
        sa.Column("execution_time_ms", sa.BigInteger, nullable=False),
        sa.Column("error_message", sa.Text),
        *place(),
        stamp("created_at"),
        sa.UniqueConstraint("execution_id", name="uq_execution_audit_execution_id"),
        *checks(
            table,
            execution_time_ms="execution_time_ms >= 0",
            end_time="end_time >= start_time",
            error_message_size="octet_length(error_message) <= 10240",
        ),
    )
    index(table, "remediation_request_id", "workflow_id", "namespace", newest_by="start_time")


def downgrade() -> None:
    for table in ("execution_audit", "workflow_audit", "ai_analysis_audit"):
        op.drop_table(table)
