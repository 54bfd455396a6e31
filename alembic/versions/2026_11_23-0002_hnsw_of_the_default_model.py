"""HNSW index over the vectors of the default model.

Revision: 0002, after 0001. Built without blocking writes, outside a transaction; a broken run leaves an
INVALID index behind, so it is dropped first and the revision can simply be run again.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = "ix_incident_embedding_hnsw_default"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        be_patient()
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {NAME} ON incident_embedding "
            "USING hnsw ((vector::halfvec(256)) halfvec_cosine_ops) WITH (m = 16, ef_construction = 64) "
            "WHERE model = 'wordllama-l2-supercat-256'"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        be_patient()
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")


def be_patient() -> None:
    """Until the next revision: the build over some millions of vectors takes its time.

    It also waits for every older transaction in the database to end. That waiting blocks nobody, whereas a
    lock timeout would break off the build whenever some report runs for longer.
    """
    op.execute("SET lock_timeout = 0")
    op.execute("SET statement_timeout = '2h'")
