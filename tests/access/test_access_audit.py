"""The access audit: who, what, from where, with which outcome; appended, and never lost silently."""

import asyncpg
import pytest

from datastorage.domain.access import AccessOutcome
from datastorage.domain.caller import ANONYMOUS, EVERYWHERE, OPERATOR, Role, Scope
from datastorage.limits import ACCESS_ENTRIES_WAITING_MAX
from datastorage.observability.metrics import ACCESS_AUDIT_DROPPED
from datastorage.services.access.api_keys import create_key
from datastorage.services.access.trail import AccessTrail
from datastorage.services.dependencies import Dependencies
from datastorage.settings import AccessAudit
from support.access import LIST, served
from support.client import CREATE
from support.records import remediation_input

ROWS = "SELECT outcome, principal, declared_actor, address, field, subject, reason, times FROM access_audit ORDER BY id"
PAGE = """query ($filter: AccessFilter, $after: String) {
  accessAudit(filter: $filter, first: 1, after: $after) {
    nodes { outcome principal field reason } pageInfo { hasNextPage endCursor } totalCount } }"""


async def key(deps: Dependencies, name: str, role: Role, scope: Scope = EVERYWHERE) -> dict[str, str]:
    return {"x-api-key": (await create_key(deps, OPERATOR, name, role, scope, None)).secret}


async def test_denials_are_recorded(deps: Dependencies, sql: asyncpg.Connection) -> None:
    reader = await key(deps, "reader", Role.READER)
    scoped = await key(deps, "scoped", Role.WRITER, Scope(frozenset({"shop"})))

    async with served(deps, auth_modes="api_key") as service:
        await service.ask(CREATE, reader | {"x-actor": "alice"}, input=remediation_input())
        await service.ask(CREATE, scoped, input=remediation_input())
        await service.ask("{ systemStatus { version } }", reader)
        for _ in range(3):
            await service.ask(LIST)
    await deps.trail.write(deps.database)

    field, here = "createRemediationAudit", "203.0.113.7"
    assert [tuple(row) for row in await sql.fetch(ROWS)] == [
        ("denied", "key:reader", "alice", here, field, None, "no right to write", 1),
        ("denied", "key:scoped", None, here, field, None, "outside the scope", 1),
        ("denied", "key:reader", None, here, None, None, "no right to admin", 1),
        ("unauthenticated", None, None, here, None, None, "no credential", 3),
    ]


async def test_mutations_are_recorded_where_that_is_asked_for(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    deps.trail.of_mutations = True

    async with served(deps) as service:
        await service.ask(CREATE, input=remediation_input())
        await service.ask(CREATE, input=remediation_input(name="other"))
        await service.ask(LIST)
    await deps.trail.write(deps.database)

    assert [tuple(row)[:6] for row in await sql.fetch(ROWS)] == [
        ("allowed", "anonymous", None, "203.0.113.7", "createRemediationAudit", "rr-1"),
        ("refused", "anonymous", None, "203.0.113.7", "createRemediationAudit", "rr-1"),
    ]


async def test_administrators_read_it_page_by_page(deps: Dependencies) -> None:
    for number in range(3):
        deps.trail.note(ANONYMOUS, AccessOutcome.DENIED, reason=str(number))
    deps.trail.note(ANONYMOUS, AccessOutcome.ALLOWED)
    await deps.trail.write(deps.database)
    seen, after = [], None

    async with served(deps) as service:
        while True:
            page = (await service.ask(PAGE, filter={"outcomes": ["DENIED"]}, after=after)).data["accessAudit"]
            seen += [node["reason"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break

    assert (seen, page["totalCount"]) == (["2", "1", "0"], 3)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE access_audit SET times = 2", "DELETE FROM access_audit", "TRUNCATE access_audit"],
)
async def test_nothing_recorded_can_be_changed(sql: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append only"):
        await sql.execute(statement)


async def test_what_does_not_fit_is_dropped_and_counted() -> None:
    trail, before = AccessTrail(AccessAudit.DENIALS), ACCESS_AUDIT_DROPPED._value.get()

    for _ in range(ACCESS_ENTRIES_WAITING_MAX + 5):
        trail.denied(ANONYMOUS, "no right")

    assert trail.waiting == ACCESS_ENTRIES_WAITING_MAX
    assert ACCESS_AUDIT_DROPPED._value.get() - before == 5


async def test_what_could_not_be_written_waits(deps: Dependencies, sql: asyncpg.Connection) -> None:
    deps.trail.denied(ANONYMOUS, "no right")
    await sql.execute("ALTER TABLE access_audit RENAME TO away")
    with pytest.raises(Exception, match=r"migration|schema|access_audit"):
        await deps.trail.write(deps.database)
    await sql.execute("ALTER TABLE away RENAME TO access_audit")

    await deps.trail.write(deps.database)

    assert (deps.trail.waiting, await sql.fetchval("SELECT count(*) FROM access_audit")) == (0, 1)


@pytest.mark.parametrize("name", ["principal", "field", "subject"])
async def test_a_filter_with_what_no_text_holds_is_refused(deps: Dependencies, name: str) -> None:
    async with served(deps) as service:
        answer = await service.ask(PAGE, filter={name: "a\x00b"})

    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
    assert (
        answer.error["message"] == "filter: compares with text that contains NUL, which no stored text does"
    )
