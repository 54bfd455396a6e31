"""Whether this release can serve on a schema: behind, at head, ahead of it."""

import pytest
from sqlalchemy.engine import URL

from datastorage.db import migrations
from datastorage.db.drift import drift
from datastorage.db.migrations import SchemaState, known_revisions, read_state
from datastorage.errors import StartupError
from datastorage.models import metadata
from support.schema import execute


async def test_an_empty_database_lacks_every_revision(empty_database_url: URL) -> None:
    state = await read_state(empty_database_url)

    assert state == SchemaState((), known_revisions(), None)
    assert not state.good
    assert state.describe() == (
        f"lacks {len(known_revisions())} migration(s) of this release; run: datastorage migrate"
    )


async def test_a_schema_at_an_older_revision_lacks_the_rest(database_url: URL) -> None:
    await execute(database_url, "UPDATE alembic_version SET version_num = $1", known_revisions()[0])

    state = await read_state(database_url)

    assert (state.pending, state.good) == (known_revisions()[1:], False)


async def test_a_schema_at_head_is_good(database_url: URL) -> None:
    state = await read_state(database_url)

    assert state == SchemaState((known_revisions()[-1],), (), None)
    assert (state.good, state.describe()) == (True, f"at {known_revisions()[-1]}")


async def test_a_newer_schema_is_good_and_left_as_it_is(database_url: URL) -> None:
    await execute(database_url, "UPDATE alembic_version SET version_num = '9999'")

    await migrations.upgrade(database_url)

    assert await read_state(database_url) == SchemaState(("9999",), (), None)


@pytest.mark.parametrize(
    ("oldest", "running", "refused"),
    [
        ([], "0.1.0", None),
        (["0.1.0"], "0.1.0", None),
        (["0.9.0"], "0.10.0", None),
        (["0.10.0"], "0.9.0", "needs release 0.10.0 or newer; this is 0.9.0"),
        (["0.9.0", "0.10.0", "0.2.0"], "0.9.5", "needs release 0.10.0 or newer; this is 0.9.5"),
        (["1.0.0"], "1.0.0rc1", "needs release 1.0.0 or newer; this is 1.0.0rc1"),
    ],
)
async def test_a_newer_schema_may_say_that_this_release_is_too_old(
    database_url: URL, monkeypatch: pytest.MonkeyPatch, oldest: list[str], running: str, refused: str | None
) -> None:
    monkeypatch.setattr(migrations, "__version__", running)
    await execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    for number, release in enumerate(oldest):
        await execute(
            database_url, "INSERT INTO schema_compatibility VALUES ($1, $2)", f"900{number}", release
        )

    state = await read_state(database_url)

    assert (state.refused, state.good) == (refused, refused is None)
    if refused is not None:
        assert state.describe() == refused
        with pytest.raises(StartupError, match=refused):
            await migrations.upgrade(database_url)


async def test_revisions_of_this_release_are_not_measured_by_their_own_compatibility(
    database_url: URL,
) -> None:
    await execute(database_url, "INSERT INTO schema_compatibility VALUES ('0001', '99.0.0')")

    assert (await read_state(database_url)).good


async def test_an_unreachable_database_is_told_by_every_command(server_url: URL) -> None:
    absent = server_url.set(database="absent")

    for work in (read_state(absent), migrations.upgrade(absent), drift(absent, metadata)):
        with pytest.raises(StartupError, match="does not exist; create it"):
            await work
