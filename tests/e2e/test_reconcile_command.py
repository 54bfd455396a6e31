"""`datastorage vectors reconcile` as a process: what it says, and how it ends."""

from sqlalchemy.engine import URL

from support.command_line import CommandLine
from support.milvus_server import MilvusServer
from support.records import remediation_input
from support.second_engine import with_engine
from support.service import variables


async def test_it_says_what_it_did_and_ends_with_1_while_the_engines_differ(
    commands: CommandLine, own_database: URL, milvus: MilvusServer
) -> None:
    async with with_engine(own_database, milvus.url) as (_, client):
        for number, trouble in enumerate(["disk full", "out of memory", "node gone"]):
            await client.create(**remediation_input(remediationRequestId=f"r{number}", errorMessage=trouble))
    given = variables(own_database, vector_engine_url=milvus.url)

    dry = commands.run("vectors", "reconcile", "--dry-run", variables=given)
    done = commands.run("vectors", "reconcile", variables=given)

    assert (dry.code, done.code) == (1, 0)
    assert "3/3" in done.err
    assert (
        "compared 3 texts found 3 missing in the engine, 0 surplus there, 0 different they do not" in dry.said
    )
    assert "left 0 missing in the engine, 0 surplus there, 0 different both hold the same" in done.said


def test_it_refuses_where_no_engine_is_configured(commands: CommandLine, own_database: URL) -> None:
    alone = commands.run("vectors", "reconcile", variables=variables(own_database))

    assert alone.code == 1
    assert "no vector engine is configured" in alone.said
