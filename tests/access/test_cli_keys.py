"""`datastorage keys`: the secret is printed once; what is listed tells it to nobody."""

import json
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.engine import URL

from support.command_line import CommandLine, Ended

Keys = Callable[..., Ended]


@pytest.fixture(scope="module")
def commands() -> Iterator[CommandLine]:
    with CommandLine() as line:
        yield line


@pytest.fixture
async def keys(commands: CommandLine, database_url: URL) -> Keys:
    """Runs `datastorage keys …` on a database of this test's own."""
    url = database_url.set(drivername="postgresql").render_as_string(hide_password=False)

    def run(*arguments: str) -> Ended:
        return commands.run("keys", *arguments, variables={"DATASTORAGE_DATABASE_URL": url})

    return run


async def test_a_key_is_made_listed_rotated_and_revoked(keys: Keys) -> None:
    made = keys("create", "agent", "--role", "writer", "--namespace", "shop", "--namespace", "pay")
    assert made.code == 0
    secret = made.out.strip()
    assert secret.startswith("dsk_")

    (listed,) = json.loads(keys("list", "--json").out)
    assert {
        name: listed[name] for name in ("name", "prefix", "role", "rights", "namespaces", "clusters")
    } == {
        "name": "agent",
        "prefix": secret[:14],
        "role": "writer",
        "rights": ["read", "write"],
        "namespaces": ["pay", "shop"],
        "clusters": None,
    }
    rotated = json.loads(keys("rotate", "agent", "--grace-hours", "0", "--json").out)
    assert rotated["namespaces"] == ["pay", "shop"]
    assert rotated["secret"] != secret

    shown = keys("list").out
    assert secret not in shown
    assert rotated["secret"] not in shown
    assert "expired" in shown
    assert "good" in shown

    revoked = keys("revoke", "agent", "--yes")
    assert revoked.out == f"revoked agent: {rotated['prefix']}_…\n"
    assert keys("revoke", "agent", "--yes").code == 1


async def test_rights_of_its_own_instead_of_a_role(keys: Keys) -> None:
    made = json.loads(keys("create", "feeder", "--right", "write", "--expires-in-days", "30", "--json").out)

    assert (made["role"], made["rights"]) == (None, ["write"])
    assert made["expiresAt"] > made["createdAt"]


@pytest.mark.parametrize(
    "arguments",
    [("a",), ("a", "--role", "reader", "--right", "read"), ("a b", "--role", "reader"), ("a", "--role", "x")],
)
async def test_what_makes_no_sense_is_refused(keys: Keys, arguments: tuple[str, ...]) -> None:
    assert keys("create", *arguments).code == 2
    assert json.loads(keys("list", "--json").out) == []
