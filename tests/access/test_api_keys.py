"""API keys: made once, compared by hash, ended within seconds; nothing told to who has none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy.engine import URL

from datastorage.db.database import Database
from datastorage.domain.caller import EVERYWHERE, OPERATOR, Caller, Right, Role, Scope
from datastorage.errors import Forbidden, OperatorError, Unauthenticated
from datastorage.observability.labels import AuthenticationFailure
from datastorage.observability.metrics import AUTHENTICATION_FAILURES
from datastorage.services.access.api_keys import (
    KeyRecognition,
    create_key,
    list_keys,
    revoke_key,
    rotate_key,
)
from datastorage.services.access.known_callers import KnownCallers, Recognised
from datastorage.services.dependencies import Dependencies
from datastorage.settings import Settings
from support.access import LIST, served
from support.client import CREATE
from support.records import remediation_input

REFUSAL = {"errors": [{"message": "authentication is needed", "extensions": {"code": "UNAUTHENTICATED"}}]}


def bearing(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


async def made(
    deps: Dependencies,
    name: str = "agent",
    role: Role = Role.READER,
    scope: Scope = EVERYWHERE,
    expires_at: datetime | None = None,
) -> str:
    return (await create_key(deps, OPERATOR, name, role, scope, expires_at)).secret


async def test_a_key_opens_as_bearer_token_and_in_its_own_header(deps: Dependencies) -> None:
    secret = await made(deps)

    async with served(deps, auth_modes="api_key") as service:
        by_token = await service.ask(LIST, bearing(secret))
        by_header = await service.ask(LIST, {"x-api-key": secret})

    assert by_token.data == by_header.data == {"remediationAudits": {"nodes": []}}


async def test_the_secret_is_kept_nowhere(deps: Dependencies, sql: asyncpg.Connection) -> None:
    secret = await made(deps)

    (row,) = await sql.fetch("SELECT api_key::text AS all FROM api_key")

    assert secret.startswith("dsk_")
    assert len(secret) == 58
    assert secret[15:] not in row["all"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Basic YTpi"},
        {"x-api-key": ""},
        bearing("dsk_aaaaaaaaaa_" + "A" * 43),
        bearing("dsk_"),
        bearing("a.b.c"),
        bearing("x" * 20_000),
        {"x-api-key": "dsk_é"},
    ],
)
async def test_whatever_is_wrong_is_answered_alike(deps: Dependencies, headers: dict[str, str]) -> None:
    await made(deps)

    async with served(deps, auth_modes="api_key") as service:
        answer = await service.http.post(
            "/graphql",
            json={"query": LIST},
            headers={name: value.encode() for name, value in headers.items()},  # type: ignore[misc]
        )

    assert (answer.status_code, answer.json()) == (401, REFUSAL)
    assert answer.headers["www-authenticate"] == 'Bearer realm="datastorage"'


async def test_a_known_prefix_with_another_secret_is_refused_alike(deps: Dependencies) -> None:
    secret = await made(deps)

    async with served(deps, auth_modes="api_key") as service:
        answer = await service.ask(LIST, bearing(secret[:15] + "A" * 43))

    assert (answer.status, answer.body) == (401, REFUSAL)


async def test_nobody_is_let_in_before_the_body_is_read(deps: Dependencies) -> None:
    async with served(deps, auth_modes="api_key") as service:
        answer = await service.http.post("/graphql", content=b"no JSON at all")

    assert answer.status_code == 401


async def test_failures_are_counted(deps: Dependencies) -> None:
    counters = {reason: AUTHENTICATION_FAILURES.labels(reason)._value for reason in AuthenticationFailure}
    before = {reason: counter.get() for reason, counter in counters.items()}

    async with served(deps, auth_modes="api_key") as service:
        await service.ask(LIST)
        await service.ask(LIST, bearing("dsk_aaaaaaaaaa_" + "A" * 43))
        await service.ask(LIST, bearing("a.b.c"))

    after = {reason.value: int(counter.get() - before[reason]) for reason, counter in counters.items()}
    assert after == {"missing": 1, "refused": 2, "unavailable": 0}


async def test_an_expired_key_opens_nothing(deps: Dependencies) -> None:
    secret = await made(deps, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    async with served(deps, auth_modes="api_key") as service:
        assert (await service.ask(LIST, bearing(secret))).status == 401


async def test_a_revoked_key_opens_nothing_once_it_is_looked_up_again(deps: Dependencies) -> None:
    now = 100.0
    secret = await made(deps)
    known = KnownCallers(KeyRecognition(lambda: deps.database).recognise, 2.0, lambda: now)
    assert (await known.caller(secret)).principal == "key:agent"

    await revoke_key(deps, OPERATOR, "agent")
    now += 2.9
    assert (await known.caller(secret)).principal == "key:agent"
    now += 0.1

    with pytest.raises(Unauthenticated):
        await known.caller(secret)


async def test_a_key_in_use_costs_a_statement_only_now_and_then(deps: Dependencies) -> None:
    now, asked = 100.0, []
    secret = await made(deps)
    recognition = KeyRecognition(lambda: deps.database)

    async def counted(credential: str) -> Recognised:
        asked.append(credential)
        return await recognition.recognise(credential)

    known = KnownCallers(counted, 2.0, lambda: now)
    for _ in range(100):
        await known.caller(secret)
    assert len(asked) == 1
    now += 3.0
    await known.caller(secret)

    assert len(asked) == 2


async def test_a_rotated_key_has_two_secrets_for_a_while(deps: Dependencies) -> None:
    old = await made(deps, role=Role.WRITER, scope=Scope(frozenset({"shop"})))

    new = await rotate_key(deps, OPERATOR, "agent", timedelta(hours=1), None)

    recognition = KeyRecognition(lambda: deps.database)
    for secret in (old, new.secret):
        caller = (await recognition.recognise(secret)).caller
        assert caller == Caller("key:agent", frozenset({Right.READ, Right.WRITE}), Scope(frozenset({"shop"})))
    assert [key.expires_at is None for key in await list_keys(deps, OPERATOR)] == [False, True]


async def test_a_key_rotated_without_grace_ends_the_old_secret(deps: Dependencies) -> None:
    old = await made(deps)

    await rotate_key(deps, OPERATOR, "agent", timedelta(), None)

    with pytest.raises(Unauthenticated):
        await KeyRecognition(lambda: deps.database).recognise(old)


async def test_a_name_has_one_key_at_a_time(deps: Dependencies) -> None:
    await made(deps)

    with pytest.raises(OperatorError, match="there is a key named agent"):
        await made(deps)
    await revoke_key(deps, OPERATOR, "agent")
    await made(deps)

    assert len(await list_keys(deps, OPERATOR)) == 2
    with pytest.raises(OperatorError, match="no key named nobody"):
        await revoke_key(deps, OPERATOR, "nobody")


async def test_only_administrators_of_everything_look_after_keys(deps: Dependencies) -> None:
    scoped = Caller("a", frozenset(Right), Scope(frozenset({"shop"})))
    for caller in (scoped, Caller("b", frozenset({Right.READ, Right.WRITE}))):
        with pytest.raises(Forbidden):
            await list_keys(deps, caller)


async def test_it_is_noted_when_a_key_was_used(deps: Dependencies) -> None:
    secret = await made(deps)
    recognition = KeyRecognition(lambda: deps.database)
    await recognition.recognise(secret)

    await recognition.note_use()

    (key,) = await list_keys(deps, OPERATOR)
    assert key.last_used_at is not None
    assert datetime.now(UTC) - key.last_used_at < timedelta(minutes=1)


async def test_the_event_tells_who_it_was_as_authenticated_and_as_declared(
    deps: Dependencies, sql: asyncpg.Connection
) -> None:
    secret = await made(deps, role=Role.WRITER)

    async with served(deps, auth_modes="api_key") as service:
        headers = bearing(secret) | {"x-actor": "alice@example.org"}
        await service.ask(CREATE, headers, input=remediation_input())

    row = await sql.fetchrow("SELECT actor, declared_actor FROM remediation_event")
    assert tuple(row) == ("key:agent", "alice@example.org")


async def test_without_a_database_nobody_is_refused_but_told_to_try_again(
    deps: Dependencies, database_url: URL, settings: Settings
) -> None:
    secret = await made(deps)
    gone = Database.connect(database_url.set(database="gone"), settings)

    async with served(replace(deps, database=gone), auth_modes="api_key") as service:
        answer = await service.ask(LIST, bearing(secret))

    await gone.close()
    assert answer.status == 503
    assert answer.error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
