"""Indexes over keys in lower case, for prefixes that ignore case.

Revision: 0005, after 0004. Built without blocking writes, outside a transaction; a broken run leaves an
INVALID index behind, so each is dropped first and the revision can simply be run again.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEYS = (
    ("remediation_audit", "remediation_request_id"),
    ("remediation_audit", "alert_fingerprint"),
    ("ai_analysis_audit", "analysis_id"),
    ("workflow_audit", "workflow_id"),
    ("execution_audit", "execution_id"),
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        be_patient()
        for table, column in KEYS:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name(table, column)}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name(table, column)} ON {table} (lower({column}))")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        be_patient()
        for table, column in KEYS:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name(table, column)}")


def name(table: str, column: str) -> str:
    return f"ix_{table}_lower_{column}"


def be_patient() -> None:
    """Until the next revision: builds over millions of rows take their time, and block nobody while they wait."""
    op.execute("SET lock_timeout = 0")
    op.execute("SET statement_timeout = '2h'")
