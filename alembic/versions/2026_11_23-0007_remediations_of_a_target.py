"""The index over the remediations of a target, newest first.

Revision: 0007, after 0006. Built without blocking writes, outside a transaction; a broken run leaves an
INVALID index behind, so it is dropped first and the revision can simply be run again.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAME = "ix_remediation_audit_target_resource"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        be_patient()
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {NAME} ON remediation_audit "
            "(target_resource, start_time DESC, id DESC)"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        be_patient()
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")


def be_patient() -> None:
    """Until the next revision: builds over millions of rows take their time, and block nobody while they wait."""
    op.execute("SET lock_timeout = 0")
    op.execute("SET statement_timeout = '2h'")
