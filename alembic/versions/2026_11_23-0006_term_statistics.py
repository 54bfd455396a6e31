"""How common each term is: one row, refreshed by the service.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "term_statistics",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("documents", sa.BigInteger, nullable=False),
        sa.Column("audit_id_max", sa.BigInteger, nullable=False),
        sa.Column("terms", sa.LargeBinary, nullable=False),
        sa.Column("frequencies", sa.LargeBinary, nullable=False),
        sa.Column(
            "refreshed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("clock_timestamp()"),
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_term_statistics_one_row")),
        sa.CheckConstraint(
            "length(terms) = length(frequencies)", name=op.f("ck_term_statistics_frequencies")
        ),
    )


def downgrade() -> None:
    op.drop_table("term_statistics")
