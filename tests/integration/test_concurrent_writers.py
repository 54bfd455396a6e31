"""Many writers at once: each gets its own outcome, and nothing is lost, doubled or half-written."""

import asyncio

import asyncpg

from support.client import GraphQLClient
from support.records import remediation_input

WRITERS = 64


async def test_64_writers_of_different_incidents_leave_64_whole_ones(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    results = await asyncio.gather(
        *(
            client.create(
                **remediation_input(remediationRequestId=f"rr-{n}", errorMessage=f"failure of part {n % 8}x")
            )
            for n in range(WRITERS)
        )
    )

    assert {result["remediationAudit"]["remediationRequestId"] for result in results} == {
        f"rr-{n}" for n in range(WRITERS)
    }
    assert len({result["remediationAudit"]["databaseId"] for result in results}) == WRITERS
    whole = await sql.fetchval(
        "SELECT count(*) FROM remediation_audit a JOIN incident_embedding USING (content_hash) "
        "JOIN remediation_event e ON e.subject_key = a.remediation_request_id AND e.version = a.version"
    )
    assert whole == WRITERS


async def test_a_writer_that_gives_up_leaves_nothing_half_written(
    client: GraphQLClient, sql: asyncpg.Connection
) -> None:
    writes = [
        asyncio.create_task(client.create(**remediation_input(remediationRequestId=f"rr-{n}")))
        for n in range(WRITERS)
    ]
    await asyncio.sleep(0.05)
    for write in writes[::2]:
        write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)

    audits = await sql.fetch("SELECT remediation_request_id FROM remediation_audit ORDER BY 1")
    events = await sql.fetch("SELECT subject_key FROM remediation_event ORDER BY 1")
    assert [row[0] for row in audits] == [row[0] for row in events]
    assert {f"rr-{n}" for n in range(1, WRITERS, 2)} <= {row[0] for row in audits}
