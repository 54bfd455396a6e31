"""What becomes of sessions when the server goes, refuses or is full, and when it comes back."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from datastorage.db.database import Database
from datastorage.errors import Unavailable
from datastorage.settings import Settings
from support.servers import PASSWORD, Server

PATIENT = Settings(_env_file=None, pool_size=8)


@pytest.mark.parametrize("kind", ["read", "write", "snapshot"])
async def test_a_lost_server_is_unavailable_and_the_pool_recovers_when_it_is_back(
    own_server: Server, open_database: Callable[..., Database], kind: str
) -> None:
    with own_server.running():
        database = open_database(own_server.url(), PATIENT)
        session_of = getattr(database, kind)

        async def lose_the_server() -> None:
            async with session_of() as session:
                await session.execute(text("SELECT 1"))
                own_server.stop()
                await session.execute(text("SELECT 1"))

        with pytest.raises(Unavailable, match="not available") as lost:
            await lose_the_server()
        with pytest.raises(Unavailable, match="not available"):
            async with session_of():
                pass
        own_server.start()
        async with session_of() as session:
            answer = await session.scalar(text("SELECT 1"))

    assert lost.value.retryable
    assert answer == 1
    assert not any(use.in_use for use in database.pools().values())


async def test_a_committed_write_stands_even_if_the_server_is_lost_before_the_session_ends(
    own_server: Server, open_database: Callable[..., Database]
) -> None:
    with own_server.running():
        database = open_database(own_server.url(), PATIENT)
        async with database.write() as session:
            await session.execute(text("SELECT 1"))
            await session.commit()
            own_server.stop()

        own_server.start()


async def test_a_server_that_refuses_us_is_unavailable(
    own_server: Server, open_database: Callable[..., Database]
) -> None:
    with own_server.running():
        url = own_server.tcp_url()
        for broken in (url.set(password=f"{PASSWORD}-changed"), url.set(database="dropped")):
            with pytest.raises(Unavailable, match="not available"):
                await open_database(broken, PATIENT).ping()


async def test_a_server_without_a_free_connection_is_unavailable(
    own_server: Server, open_database: Callable[..., Database]
) -> None:
    with own_server.running(
        max_connections="2", superuser_reserved_connections="0", reserved_connections="0"
    ):
        one = open_database(own_server.url(), PATIENT)
        other = open_database(own_server.url(), PATIENT)
        async with one.read() as session, one.write() as writing:
            await session.execute(text("SELECT 1"))
            await writing.execute(text("SELECT 1"))

            with pytest.raises(Unavailable, match="not available"):
                await other.ping()
