"""What was changed by hand is told, and what is none of our business is not."""

import pytest
from sqlalchemy.engine import URL

from datastorage.db.drift import drift
from datastorage.models import metadata
from support.schema import execute


async def test_a_migrated_database_has_no_drift(database_url: URL) -> None:
    assert await drift(database_url, metadata) == []


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        (
            "DROP INDEX ix_incident_embedding_hnsw_default",
            "incident_embedding: lacks index ix_incident_embedding_hnsw_default",
        ),
        (
            "ALTER TABLE remediation_audit DROP CONSTRAINT ck_remediation_audit_phase",
            "remediation_audit: lacks constraint ck_remediation_audit_phase",
        ),
        (
            "ALTER TABLE remediation_audit ALTER resolution TYPE varchar(5)",
            "remediation_audit.resolution: type is VARCHAR(5), should be TEXT",
        ),
        (
            "ALTER TABLE remediation_audit ALTER name DROP NOT NULL",
            "remediation_audit.name: nullable is True, should be False",
        ),
        (
            "ALTER TABLE remediation_audit ALTER metadata DROP DEFAULT",
            "remediation_audit.metadata: default is None, should be '{}'::jsonb",
        ),
        (
            "ALTER TABLE remediation_event ADD nonsense int",
            "remediation_event: has an unknown column nonsense",
        ),
        ("DROP TABLE schema_compatibility", "schema_compatibility: lacks table schema_compatibility"),
        (
            "CREATE INDEX by_hand ON remediation_audit (name)",
            "remediation_audit: has an unknown index by_hand",
        ),
    ],
)
async def test_what_was_changed_by_hand_is_drift(database_url: URL, by_hand: str, told: str) -> None:
    await execute(database_url, by_hand)

    assert await drift(database_url, metadata) == [told]


async def test_indexes_made_while_running_and_tables_of_others_are_no_drift(database_url: URL) -> None:
    await execute(database_url, "CREATE INDEX hnsw_model_x ON incident_embedding (created_at)")
    await execute(database_url, "CREATE TABLE of_another_service (id int PRIMARY KEY)")

    assert await drift(database_url, metadata) == []
