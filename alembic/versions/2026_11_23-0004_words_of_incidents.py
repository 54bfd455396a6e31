"""The words of each remediation, for full text search.

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


class Sparsevec(sa.types.UserDefinedType):
    """pgvector's sparse vectors: 2^28 terms of the headline, and as many of the body."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The name in SQL."""
        return "sparsevec(536870912)"


def key() -> sa.String:
    return sa.String(255, collation="C")


def upgrade() -> None:
    op.create_table(
        "incident_lexical",
        sa.Column(
            "audit_id",
            sa.BigInteger,
            sa.ForeignKey(
                "remediation_audit.id",
                name="fk_incident_lexical_audit_id_remediation_audit",
                ondelete="CASCADE",
            ),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("namespace", key(), nullable=False),
        sa.Column("cluster_name", key(), nullable=False),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms", postgresql.ARRAY(sa.Integer), nullable=False),
        sa.Column("weights", Sparsevec(), nullable=False),
    )
    # Terms and weights stay in the row up to a page, where scoring finds them without a detour.
    op.execute("ALTER TABLE incident_lexical SET (toast_tuple_target = 8160)")
    op.create_index(
        "ix_incident_lexical_terms",
        "incident_lexical",
        ["terms"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "on", "gin_pending_list_limit": 1024},
    )


def downgrade() -> None:
    op.drop_table("incident_lexical")
