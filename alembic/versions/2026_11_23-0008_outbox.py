"""What is still to be done about a text once its record stands, such as finding its vector.

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("model", sa.String(255, collation="C"), nullable=False),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("parked_at", sa.DateTime(timezone=True)),
        sa.Column("fault", sa.Text),
        sa.PrimaryKeyConstraint("kind", "model", "content_hash", name=op.f("pk_outbox")),
        sa.CheckConstraint("kind IN ('embed', 'mirror')", name=op.f("ck_outbox_kind")),
        sa.CheckConstraint("octet_length(content_hash) = 32", name=op.f("ck_outbox_content_hash")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbox_attempts")),
        sa.CheckConstraint("(parked_at IS NULL) = (fault IS NULL)", name=op.f("ck_outbox_parked_at")),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["kind", "model", "not_before"],
        postgresql_where=sa.text("parked_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("outbox")
