"""What creates have stored, counted and taken away again, so that whoever is next meets the same tables.

The vectors stay: the service keeps them too, for the same text may come again.
"""

from __future__ import annotations

import asyncio
from typing import Final

from bench.speed.database import Database
from bench.speed.questions import Question

WRITTEN: Final = "remediation_request_id >= 'w-' AND remediation_request_id < 'w.'"


def counted(database: Database) -> int:
    """How many remediations creates have stored."""
    return int(database.ask(f"SELECT count(*) AS rows FROM remediation_audit WHERE {WRITTEN}")[0]["rows"])


def settle(database: Database, question: Question) -> None:
    """Takes away what a question has written, and has PostgreSQL write down what it holds."""
    if not question.writes:
        return

    async def removed() -> None:
        connection = await database.connect()
        for table in ("remediation_audit", "remediation_event"):
            await connection.execute(f"DELETE FROM {table} WHERE {WRITTEN}")
        for table in ("remediation_audit", "remediation_event", "incident_lexical"):
            await connection.execute(f"VACUUM {table}")
        await connection.execute("CHECKPOINT")
        await connection.close()

    asyncio.run(removed())
