"""updateRemediationAudit: phase moves, what stays and what is cleared, versions, replays, events and vectors."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest
from sqlalchemy.engine import URL
from support.api import Api, opened_api
from support.client import GraphQLClient
from support.records import remediation_input

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.errors import Forbidden, RecordNotFound
from datastorage.services import remediations
from datastorage.services.remediations.read import RemediationKey

_numbers = itertools.count()


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


@pytest.fixture
def sql(api: Api) -> asyncpg.Connection:
    return api.sql


@pytest.fixture
def key() -> str:
    """The request id of this test's own audit; the database is the module's."""
    return f"rr-{next(_numbers)}"


async def create(client: GraphQLClient, key: str, **fields: Any) -> dict[str, Any]:
    created = await client.create(**remediation_input(remediationRequestId=key, **fields))
    assert created["__typename"] == "CreateRemediationAuditPayload"
    return created["remediationAudit"]


async def update(client: GraphQLClient, key: str, **fields: Any) -> dict[str, Any]:
    """An update that must not be refused: the audit, with the receipt beside its fields."""
    result = await client.update(requestId=key, **fields)
    assert result["__typename"] == "UpdateRemediationAuditPayload", result
    return {**result["remediationAudit"], "receipt": result["receipt"]}


async def events(sql: asyncpg.Connection, key: str) -> list[tuple[str, int, dict[str, Any]]]:
    """Kind, version and changes of each event after the first, which is that of the create."""
    rows = await sql.fetch(
        "SELECT kind, version, changes FROM remediation_event WHERE subject_key = $1 ORDER BY id", key
    )
    return [(row["kind"], row["version"], orjson.loads(row["changes"])) for row in rows[1:]]


async def stored(sql: asyncpg.Connection, key: str, column: str) -> Any:
    return await sql.fetchval(
        f"SELECT {column} FROM remediation_audit WHERE remediation_request_id = $1",  # noqa: S608 -- a column's name
        key,
    )


STATUS = {"PENDING": "PENDING", "PROCESSING": "RUNNING", "COMPLETED": "SUCCESS", "FAILED": "FAILURE"}
ALLOWED = {
    "PENDING": ["PROCESSING", "FAILED"],
    "PROCESSING": ["COMPLETED", "FAILED"],
    "COMPLETED": [],
    "FAILED": ["PROCESSING"],
}
PAIRS = list(itertools.product(STATUS, STATUS))


@pytest.mark.parametrize(("current", "requested"), [pair for pair in PAIRS if pair[1] in ALLOWED[pair[0]]])
async def test_an_allowed_move_is_made_and_the_status_follows(
    client: GraphQLClient, sql: asyncpg.Connection, key: str, current: str, requested: str
) -> None:
    await create(client, key, phase=current)

    moved = await update(client, key, phase=requested)

    assert (moved["phase"], moved["status"], moved["version"]) == (requested, STATUS[requested], 2)
    assert moved["receipt"] == {"replayed": False, "similarity": "INDEXED", "redactions": []}
    assert await events(sql, key) == [
        (
            "phase_changed",
            2,
            {
                "phase": {"old": current.lower(), "new": requested.lower()},
                "status": {"old": STATUS[current].lower(), "new": STATUS[requested].lower()},
            },
        )
    ]


@pytest.mark.parametrize(
    ("current", "requested"),
    [(now, then) for now, then in PAIRS if now != then and then not in ALLOWED[now]],
)
async def test_another_move_is_refused_and_leaves_no_trace(
    client: GraphQLClient, sql: asyncpg.Connection, key: str, current: str, requested: str
) -> None:
    await create(client, key, phase=current)

    refused = await client.update(requestId=key, phase=requested, errorMessage="unseen")

    ways = f"allowed from {current}: {', '.join(ALLOWED[current])}" if ALLOWED[current] else f"{current} is final"
    assert refused == {
        "__typename": "InvalidTransitionError",
        "message": f"phase cannot move from {current} to {requested}; {ways}",
        "code": "INVALID_TRANSITION",
        "retryable": False,
        "currentPhase": current,
        "requestedPhase": requested,
        "allowedPhases": ALLOWED[current],
    }
    assert (await stored(sql, key, "version"), await stored(sql, key, "error_message")) == (1, None)
    assert await events(sql, key) == []


@pytest.mark.parametrize("phase", STATUS)
async def test_the_same_phase_is_no_move(client: GraphQLClient, sql: asyncpg.Connection, key: str, phase: str) -> None:
    await create(client, key, phase=phase, endTime="2026-01-01T12:00:01Z")

    same = await update(client, key, phase=phase, severity="LOW")

    assert (same["phase"], same["severity"], same["endTime"]) == (phase, "LOW", "2026-01-01T12:00:01Z")
    assert await events(sql, key) == [("updated", 2, {"severity": {"old": "high", "new": "low"}})]


async def test_a_status_that_is_sent_wins_over_the_derived_one(client: GraphQLClient, key: str) -> None:
    await create(client, key, phase="PROCESSING")

    assert (await update(client, key, phase="COMPLETED", status="FAILURE"))["status"] == "FAILURE"
    assert (await update(client, key, status="SUCCESS"))["status"] == "SUCCESS"


async def test_the_whole_life_of_a_remediation_is_in_its_events(
    client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    await create(client, key)

    await update(client, key, phase="PROCESSING")
    failed = await update(client, key, phase="FAILED", endTime="2026-01-01T12:00:10Z", errorMessage="no quota")
    retried = await update(client, key, phase="PROCESSING")
    done = await update(client, key, phase="COMPLETED", endTime="2026-01-01T12:00:30.0005Z", errorMessage=None)

    assert (failed["endTime"], failed["durationMs"]) == ("2026-01-01T12:00:10Z", 10_000)
    assert (retried["endTime"], retried["durationMs"], retried["errorMessage"]) == (None, None, "no quota")
    assert (done["endTime"], done["durationMs"], done["version"]) == ("2026-01-01T12:00:30.000500Z", 30_000, 5)
    assert [(kind, version, sorted(changes)) for kind, version, changes in await events(sql, key)] == [
        ("phase_changed", 2, ["phase", "status"]),
        ("phase_changed", 3, ["end_time", "error_message", "phase", "status"]),
        ("phase_changed", 4, ["end_time", "phase", "status"]),
        ("phase_changed", 5, ["end_time", "error_message", "phase", "status"]),
    ]
    assert (await events(sql, key))[2][2]["end_time"] == {"old": "2026-01-01T12:00:10+00:00", "new": None}


async def test_absent_fields_stay(client: GraphQLClient, key: str) -> None:
    before = await create(
        client,
        key,
        endTime="2026-01-01T12:00:01Z",
        errorMessage="out of memory",
        resolution="more memory",
        metadata={"team": "core"},
        actionParameters={"replicas": 3},
    )

    await update(client, key, severity="LOW")

    after = (await client.create(**remediation_input(
        remediationRequestId=key,
        endTime="2026-01-01T12:00:01Z",
        errorMessage="out of memory",
        resolution="more memory",
        metadata={"team": "core"},
        actionParameters={"replicas": 3},
    )))["remediationAudit"]  # fmt: skip
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"severity", "version", "updatedAt"}


async def test_null_clears_what_is_optional(client: GraphQLClient, sql: asyncpg.Connection, key: str) -> None:
    await create(
        client,
        key,
        endTime="2026-01-01T12:00:01Z",
        errorMessage="out of memory",
        resolution="more memory",
        metadata={"team": "core"},
        actionParameters={"replicas": 3},
    )
    cleared = dict.fromkeys(("endTime", "errorMessage", "resolution", "metadata", "actionParameters"))

    after = await update(client, key, **cleared)

    assert [after[name] for name in ("endTime", "durationMs", "errorMessage", "resolution")] == [None] * 4
    assert after["metadata"] == {}
    assert await stored(sql, key, "action_parameters") == "{}"


REQUIRED = ("phase", "status", "actionType", "severity", "environment", "targetResource")


async def test_null_on_required_fields_is_refused_all_at_once(
    client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    await create(client, key)

    refused = await client.update(requestId=key, **dict.fromkeys(REQUIRED), errorMessage="unseen")

    assert (refused["__typename"], refused["code"]) == ("ValidationError", "VALIDATION")
    assert sorted((fault["field"], fault["reason"]) for fault in refused["faults"]) == sorted(
        (name, "REQUIRED") for name in REQUIRED
    )
    assert await stored(sql, key, "version") == 1


async def test_every_fault_of_an_update_is_told(client: GraphQLClient, sql: asyncpg.Connection, key: str) -> None:
    await create(client, key)

    refused = await client.update(
        requestId=key, actionType="drop table; --", environment=" ", targetResource="x", resolution="é" * 5121
    )

    assert {fault["field"]: fault["reason"] for fault in refused["faults"]} == {
        "actionType": "SQL_INJECTION_DETECTED",
        "environment": "WHITESPACE_ONLY",
        "targetResource": "INVALID",
        "resolution": "LENGTH_EXCEEDED",
    }
    assert await stored(sql, key, "version") == 1


async def test_metadata_is_replaced_as_a_whole(client: GraphQLClient, sql: asyncpg.Connection, key: str) -> None:
    await create(client, key, metadata={"team": "core", "nested": {"a": 1, "b": 2}})

    after = await update(client, key, metadata={"nested": {"b": 3}})

    assert after["metadata"] == {"nested": {"b": 3}}
    assert await events(sql, key) == [
        (
            "updated",
            2,
            {"metadata": {"old": {"team": "core", "nested": {"a": 1, "b": 2}}, "new": {"nested": {"b": 3}}}},
        )
    ]


async def test_a_new_target_is_split_anew(client: GraphQLClient, key: str) -> None:
    await create(client, key, targetResource="shop/Deployment/api")

    after = await update(client, key, targetResource="Node/n1")

    assert [after[name] for name in ("targetKind", "targetNamespace", "targetName")] == ["Node", None, "n1"]


async def test_an_end_before_the_start_is_refused(client: GraphQLClient, sql: asyncpg.Connection, key: str) -> None:
    await create(client, key)

    refused = await client.update(requestId=key, endTime="2026-01-01T11:59:59.999999Z", severity="LOW")

    assert refused["faults"] == [{"field": "endTime", "reason": "INVALID", "message": "lies before startTime"}]
    assert (await stored(sql, key, "version"), await stored(sql, key, "severity")) == (1, "high")


async def test_an_end_at_the_start_took_no_time(client: GraphQLClient, key: str) -> None:
    await create(client, key)

    assert (await update(client, key, endTime="2026-01-01T12:00:00Z"))["durationMs"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("remediationRequestId", "other"),
        ("name", "other"),
        ("namespace", "other"),
        ("startTime", "2026-01-01T00:00:00Z"),
        ("alertFingerprint", "other"),
        ("clusterName", "other"),
        ("version", 7),
        ("durationMs", 7),
    ],
)
async def test_what_never_changes_cannot_be_sent(
    client: GraphQLClient, sql: asyncpg.Connection, key: str, field: str, value: object
) -> None:
    await create(client, key)

    answer = await client.ask(
        "mutation($i: UpdateRemediationAuditInput!) { updateRemediationAudit(input: $i) { __typename } }",
        i={"requestId": key, "errorMessage": "unseen", field: value},
    )

    extensions = answer.error["extensions"]
    assert (extensions["code"], extensions["field"], extensions["reason"]) == ("BAD_USER_INPUT", field, "INVALID")
    assert "unseen" not in str(answer.body)
    assert await stored(sql, key, "version") == 1


async def test_the_expected_version_lets_the_update_through(client: GraphQLClient, key: str) -> None:
    await create(client, key)

    assert (await update(client, key, severity="LOW", expectedVersion=1))["version"] == 2
    assert (await update(client, key, severity="INFO", expectedVersion=2))["version"] == 3


@pytest.mark.parametrize("expected", [-1, 1, 3, 2**31 - 1])
async def test_another_version_is_a_conflict_and_leaves_no_trace(
    client: GraphQLClient, sql: asyncpg.Connection, key: str, expected: int
) -> None:
    await create(client, key)
    await update(client, key, severity="LOW")

    refused = await client.update(requestId=key, severity="INFO", expectedVersion=expected)

    assert refused == {
        "__typename": "ConflictError",
        "message": f"version is 2, not the expected {expected}; read it again",
        "code": "CONFLICT",
        "retryable": False,
        "fields": ["version"],
    }
    assert (await stored(sql, key, "version"), await stored(sql, key, "severity")) == (2, "low")
    assert len(await events(sql, key)) == 1


async def test_an_outdated_move_is_a_conflict_even_where_it_is_no_allowed_move_any_more(
    client: GraphQLClient, key: str
) -> None:
    await create(client, key, phase="PROCESSING")
    await update(client, key, phase="COMPLETED", expectedVersion=1)

    refused = await client.update(requestId=key, phase="FAILED", expectedVersion=1)

    assert (refused["__typename"], refused["fields"]) == ("ConflictError", ["version"])


async def test_an_update_sent_again_is_replayed(client: GraphQLClient, sql: asyncpg.Connection, key: str) -> None:
    await create(client, key)
    change = {"phase": "FAILED", "endTime": "2026-01-01T12:00:01.123456789Z", "metadata": {"a": 1.0}, "expectedVersion": 1}
    first = await update(client, key, **change, errorMessage=" boom\x00 pwd=hunter2secret")

    again = await update(client, key, **change, errorMessage=" boom\x00 pwd=hunter2secret")

    assert (first["receipt"]["replayed"], again["receipt"]["replayed"]) == (False, True)
    assert {**again, "receipt": None} == {**first, "receipt": None}
    assert again["version"] == 2
    assert len(await events(sql, key)) == 1


async def test_an_update_that_changes_nothing_is_replayed(
    client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    await create(client, key, errorMessage="boom", metadata={"a": 1})
    updated_at = await stored(sql, key, "updated_at")

    for nothing in ({}, {"severity": "HIGH", "errorMessage": "boom ", "metadata": {"a": 1.0}}, {"expectedVersion": 1}):
        same = await update(client, key, **nothing)
        assert (same["version"], same["receipt"]["replayed"]) == (1, True)
    assert await events(sql, key) == []
    assert await stored(sql, key, "updated_at") == updated_at


async def test_a_text_that_changes_gets_a_vector_of_its_own_and_the_old_one_stays_for_others(
    client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    old, new = "database connection pool exhausted", "certificate of the load balancer has expired"
    await create(client, key, errorMessage=old)
    await create(client, f"{key}-other", errorMessage=old)
    old_hash = await stored(sql, key, "content_hash")

    after = await update(client, key, errorMessage=new)

    new_hash = await stored(sql, key, "content_hash")
    assert after["receipt"]["similarity"] == "INDEXED"
    assert new_hash != old_hash
    assert await stored(sql, f"{key}-other", "content_hash") == old_hash
    vectors = "SELECT count(*) FROM incident_embedding WHERE content_hash = ANY($1)"
    assert await sql.fetchval(vectors, [old_hash, new_hash]) == 2


async def test_a_phase_move_leaves_the_vector_alone(
    client: GraphQLClient, sql: asyncpg.Connection, key: str, statements  # noqa: ANN001 -- the fixture's class is conftest's own
) -> None:
    await create(client, key)
    content_hash = await stored(sql, key, "content_hash")

    with statements.counted() as seen:
        await update(client, key, phase="PROCESSING")

    assert await stored(sql, key, "content_hash") == content_hash
    assert not [statement for statement in seen if "INSERT INTO incident_embedding" in statement]


async def test_secrets_are_redacted_in_row_event_and_answer(
    client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    await create(client, key)

    after = await update(
        client,
        key,
        errorMessage="cannot reach postgres://app:hunter2secret@db:5432/app",
        resolution="password=hunter2secret",
        metadata={"password": "hunter2secret"},
        actionParameters={"env": {"API_TOKEN": "hunter2secret"}},
    )

    assert {redaction["field"] for redaction in after["receipt"]["redactions"]} == {
        "errorMessage",
        "resolution",
        "metadata",
        "actionParameters",
    }
    everything = str(await events(sql, key)) + await stored(sql, key, "remediation_audit::text") + str(after)
    assert "hunter2secret" not in everything
    assert "[REDACTED:" in after["resolution"]


async def test_an_unknown_audit_is_not_found(client: GraphQLClient) -> None:
    by_key = await client.update(requestId="nobody", phase="FAILED")
    by_id = await client.update(id="UmVtZWRpYXRpb25BdWRpdDo5ODc2NTQzMjE=", phase="FAILED")
    impossible = await client.update(requestId="a\x00b", phase="FAILED")

    assert by_key == {
        "__typename": "NotFoundError",
        "message": "no remediation audit with requestId nobody",
        "code": "NOT_FOUND",
        "retryable": False,
    }
    assert (by_id["__typename"], impossible["__typename"]) == ("NotFoundError", "NotFoundError")


async def test_the_audit_can_be_named_by_its_global_id(client: GraphQLClient, key: str) -> None:
    created = await create(client, key)

    result = await client.update(id=created["id"], phase="FAILED")

    assert result["remediationAudit"]["phase"] == "FAILED"


async def test_naming_no_audit_two_or_one_of_another_type_is_refused(client: GraphQLClient, key: str) -> None:
    created = await create(client, key)

    none = await client.update(phase="FAILED")
    two = await client.update(requestId=key, id=created["id"], phase="FAILED")
    other = await client.update(id="V29ya2Zsb3dBdWRpdDox", phase="FAILED")

    assert [answer["__typename"] for answer in (none, two, other)] == ["ValidationError"] * 3
    assert [fault["field"] for answer in (none, two, other) for fault in answer["faults"]] == [
        "requestId",
        "requestId",
        "id",
    ]


async def test_of_32_different_updates_of_one_version_exactly_one_wins(
    client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    await create(client, key, phase="PROCESSING")

    results = await asyncio.gather(
        *(
            client.update(
                requestId=key,
                expectedVersion=1,
                phase=("COMPLETED", "FAILED")[number % 2],
                resolution=f"tried way number {number}",
            )
            for number in range(32)
        )
    )

    kinds = [result["__typename"] for result in results]
    assert (kinds.count("UpdateRemediationAuditPayload"), kinds.count("ConflictError")) == (1, 31)
    winner = next(result["remediationAudit"] for result in results if "remediationAudit" in result)
    ((_, version, changes),) = await events(sql, key)
    assert (version, changes["resolution"]["new"]) == (2, winner["resolution"])
    assert await stored(sql, key, "resolution") == winner["resolution"]


async def test_of_32_equal_updates_of_one_version_one_is_written_and_31_are_replayed(
    client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    await create(client, key)

    results = await asyncio.gather(*(update(client, key, expectedVersion=1, phase="PROCESSING") for _ in range(32)))

    replayed = [result["receipt"]["replayed"] for result in results]
    assert (replayed.count(False), replayed.count(True)) == (1, 31)
    assert {result["version"] for result in results} == {2}
    assert len(await events(sql, key)) == 1


async def test_32_updates_without_a_version_all_win_one_after_the_other(
    client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    await create(client, key)

    results = await asyncio.gather(*(update(client, key, metadata={"writer": number}) for number in range(32)))

    assert sorted(result["version"] for result in results) == list(range(2, 34))
    told = await events(sql, key)
    assert [version for _, version, _ in told] == list(range(2, 34))
    for (_, _, before), (_, _, after) in itertools.pairwise(told):
        assert after["metadata"]["old"] == before["metadata"]["new"]


async def test_a_caller_changes_nothing_outside_its_scope_or_without_the_right(
    api: Api, client: GraphQLClient, sql: asyncpg.Connection, key: str
) -> None:
    await create(client, key)
    outsider = Caller("outsider", frozenset(Right), Scope(namespaces=frozenset({"search"})))
    reader = Caller("reader", frozenset({Right.READ}))

    for caller, error in ((outsider, RecordNotFound), (reader, Forbidden)):
        with pytest.raises(error):
            await remediations.update_remediation(
                api.deps, caller, RemediationKey(request_id=key), {"severity": "LOW"}
            )
    assert await stored(sql, key, "version") == 1


async def test_the_event_names_who_changed_it(api: Api, client: GraphQLClient, sql: asyncpg.Connection, key: str) -> None:
    await create(client, key)
    caller = Caller("controller", frozenset(Right), declared_actor="alice")

    await remediations.update_remediation(api.deps, caller, RemediationKey(request_id=key), {"severity": "LOW"})

    event = await sql.fetchrow(
        "SELECT actor, declared_actor, namespace, cluster_name FROM remediation_event "
        "WHERE subject_key = $1 AND version = 2",
        key,
    )
    assert tuple(event) == ("controller", "alice", "payments", "prod-eu-1")
