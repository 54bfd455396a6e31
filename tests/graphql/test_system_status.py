"""systemStatus: how the service stands, for administrators, also while its dependencies do not answer."""

from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import make_url

from datastorage import __version__
from datastorage.db.database import Database
from datastorage.domain.caller import ANONYMOUS, Caller, Right
from datastorage.errors import Forbidden
from datastorage.services.dependencies import Dependencies
from datastorage.services.second_engine import EngineMode
from datastorage.services.system_status import system_status
from datastorage.settings import Settings
from support.client import GraphQLClient

STATUS = """
query {
  systemStatus {
    version mode databaseUp embeddingModel
    vectorEngine { configured available since reason }
    outbox { kind waiting leased parked oldestAgeS }
    circuits { name state }
  }
}
"""


async def test_alone_and_well_it_says_so(client: GraphQLClient) -> None:
    status = (await client.ask(STATUS)).data["systemStatus"]

    nothing = {"waiting": 0, "leased": 0, "parked": 0, "oldestAgeS": None}
    assert status == {
        "version": __version__,
        "mode": "SINGLE",
        "databaseUp": True,
        "embeddingModel": "wordllama-l2-supercat-256",
        "vectorEngine": {"configured": False, "available": False, "since": None, "reason": None},
        "outbox": [{"kind": "EMBED", **nothing}, {"kind": "MIRROR", **nothing}],
        "circuits": [
            {"name": "EMBEDDING", "state": "CLOSED"},
            {"name": "CACHE", "state": "CLOSED"},
            {"name": "VECTOR_ENGINE", "state": "CLOSED"},
            {"name": "RATE_LIMITS", "state": "CLOSED"},
            {"name": "DOCUMENTS", "state": "CLOSED"},
        ],
    }


async def test_what_waits_is_counted_over_all_models(client: GraphQLClient, sql: asyncpg.Connection) -> None:
    await sql.execute(
        """
        INSERT INTO outbox (kind, model, content_hash, created_at, leased_until, parked_at, fault) VALUES
          ('mirror', 'a', sha256('1'), now() - interval '1 hour', NULL, NULL, NULL),
          ('mirror', 'b', sha256('1'), now(), now() + interval '1 hour', NULL, NULL),
          ('mirror', 'a', sha256('2'), now() - interval '9 hours', NULL, now(), 'refused')
        """
    )

    outbox = (await client.ask(STATUS)).data["systemStatus"]["outbox"]

    mirror = next(entry for entry in outbox if entry["kind"] == "MIRROR")
    assert (mirror["waiting"], mirror["leased"], mirror["parked"]) == (2, 1, 1)
    assert mirror["oldestAgeS"] == pytest.approx(3600, abs=60)
    assert next(entry for entry in outbox if entry["kind"] == "EMBED")["oldestAgeS"] is None


async def test_while_the_database_does_not_answer_the_rest_is_told(deps: Dependencies) -> None:
    nowhere = Database.connect(
        make_url("postgresql+asyncpg://nobody@127.0.0.1:1/none"), Settings(_env_file=None)
    )

    status = await system_status(replace(deps, database=nowhere), ANONYMOUS)

    assert (status.database_up, status.outbox) == (False, None)
    assert (status.version, status.mode) == (__version__, EngineMode.SINGLE)


async def test_who_is_no_administrator_is_told_nothing(deps: Dependencies) -> None:
    reader = Caller("reader", frozenset({Right.READ, Right.WRITE}))

    with pytest.raises(Forbidden):
        await system_status(deps, reader)
