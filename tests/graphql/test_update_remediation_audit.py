"""updateRemediationAudit: what stays, what is cleared and what is refused; vectors, secrets, and who did it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import URL

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.remediation import REMEDIATION
from datastorage.errors import Forbidden, RecordNotFound
from datastorage.services.records import RecordKey, update_record
from support.api import Api, opened_api
from support.updates import OwnAudit


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        yield opened


@pytest.fixture
def audit(api: Api) -> OwnAudit:
    return OwnAudit(api)


OPTIONAL = {
    "endTime": "2026-01-01T12:00:01Z",
    "errorMessage": "out of memory",
    "resolution": "more memory",
    "metadata": {"team": "core"},
    "actionParameters": {"replicas": 3},
}


async def test_absent_fields_stay(audit: OwnAudit) -> None:
    before = await audit.create(**OPTIONAL)

    await audit.update(severity="LOW")

    after = await audit.create(**OPTIONAL)  # a replay: answers with the audit as it now stands
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"severity", "version", "updatedAt"}


async def test_null_clears_what_is_optional(audit: OwnAudit) -> None:
    await audit.create(**OPTIONAL)

    after = await audit.update(**dict.fromkeys(OPTIONAL))

    assert [after[name] for name in ("endTime", "durationMs", "errorMessage", "resolution")] == [None] * 4
    assert after["metadata"] == {}
    assert await audit.stored("action_parameters") == "{}"


REQUIRED = ("phase", "status", "actionType", "severity", "environment", "targetResource")


async def test_null_on_required_fields_is_refused_all_at_once(audit: OwnAudit) -> None:
    await audit.create()

    refused = await audit.attempt(**dict.fromkeys(REQUIRED), errorMessage="unseen")

    assert (refused["__typename"], refused["code"]) == ("ValidationError", "VALIDATION")
    assert sorted((fault["field"], fault["reason"]) for fault in refused["faults"]) == sorted(
        (name, "REQUIRED") for name in REQUIRED
    )
    assert await audit.stored("version") == 1


async def test_every_fault_of_an_update_is_told(audit: OwnAudit) -> None:
    await audit.create()

    refused = await audit.attempt(
        actionType="drop table; --", environment=" ", targetResource="x", resolution="é" * 5121
    )

    assert {fault["field"]: fault["reason"] for fault in refused["faults"]} == {
        "actionType": "SQL_INJECTION_DETECTED",
        "environment": "WHITESPACE_ONLY",
        "targetResource": "INVALID",
        "resolution": "LENGTH_EXCEEDED",
    }
    assert await audit.stored("version") == 1


async def test_metadata_is_replaced_as_a_whole(audit: OwnAudit) -> None:
    await audit.create(metadata={"team": "core", "nested": {"a": 1, "b": 2}})

    after = await audit.update(metadata={"nested": {"b": 3}})

    assert after["metadata"] == {"nested": {"b": 3}}
    assert await audit.changes() == [
        (
            "updated",
            2,
            {"metadata": {"old": {"team": "core", "nested": {"a": 1, "b": 2}}, "new": {"nested": {"b": 3}}}},
        )
    ]


async def test_a_new_target_is_split_anew(audit: OwnAudit) -> None:
    await audit.create(targetResource="shop/Deployment/api")

    after = await audit.update(targetResource="Node/n1")

    assert [after[name] for name in ("targetKind", "targetNamespace", "targetName")] == ["Node", None, "n1"]


async def test_an_end_before_the_start_is_refused(audit: OwnAudit) -> None:
    await audit.create()

    refused = await audit.attempt(endTime="2026-01-01T11:59:59.999999Z", severity="LOW")

    assert refused["faults"] == [
        {"field": "endTime", "reason": "INVALID", "message": "lies before startTime"}
    ]
    assert (await audit.stored("version"), await audit.stored("severity")) == (1, "high")


async def test_an_end_at_the_start_took_no_time(audit: OwnAudit) -> None:
    await audit.create()

    assert (await audit.update(endTime="2026-01-01T12:00:00Z"))["durationMs"] == 0


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
async def test_what_never_changes_cannot_be_sent(audit: OwnAudit, field: str, value: object) -> None:
    await audit.create()

    answer = await audit.api.client.ask(
        "mutation($i: UpdateRemediationAuditInput!) { updateRemediationAudit(input: $i) { __typename } }",
        i={"requestId": audit.key, "errorMessage": "unseen", field: value},
    )

    extensions = answer.error["extensions"]
    assert (extensions["code"], extensions["field"], extensions["reason"]) == (
        "BAD_USER_INPUT",
        field,
        "INVALID",
    )
    assert "unseen" not in str(answer.body)
    assert await audit.stored("version") == 1


async def test_a_text_that_changes_gets_a_vector_of_its_own_and_the_old_one_stays_for_others(
    audit: OwnAudit,
) -> None:
    old, new = "database connection pool exhausted", "certificate of the load balancer has expired"
    other = OwnAudit(audit.api)
    await audit.create(errorMessage=old)
    await other.create(errorMessage=old)
    old_hash = await audit.stored("content_hash")

    after = await audit.update(errorMessage=new)

    new_hash = await audit.stored("content_hash")
    assert after["receipt"]["similarity"] == "INDEXED"
    assert new_hash != old_hash
    assert await other.stored("content_hash") == old_hash
    vectors = "SELECT count(*) FROM incident_embedding WHERE content_hash = ANY($1)"
    assert await audit.api.sql.fetchval(vectors, [old_hash, new_hash]) == 2


async def test_a_text_that_another_writer_changed_meanwhile_is_written_without_its_vector(
    audit: OwnAudit,
) -> None:
    await audit.create()
    sql = audit.api.sql
    vectors = await sql.fetchval("SELECT count(*) FROM incident_embedding")

    async with sql.transaction():
        await sql.execute(
            "UPDATE remediation_audit SET error_message = 'quota exceeded', version = 2 "
            "WHERE remediation_request_id = $1",
            audit.key,
        )
        updating = asyncio.create_task(audit.update(resolution="raised the quota"))
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
        )
        while not await sql.fetchval(waiting):  # noqa: ASYNC110 -- nobody but the server knows who waits
            await asyncio.sleep(0.01)
    after = await updating

    assert (after["errorMessage"], after["resolution"]) == ("quota exceeded", "raised the quota")
    assert (after["version"], after["receipt"]["similarity"]) == (3, "PENDING")
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == vectors


async def test_secrets_are_redacted_in_row_event_and_answer(audit: OwnAudit) -> None:
    await audit.create()

    after = await audit.update(
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
    everything = str(await audit.changes()) + await audit.stored("remediation_audit::text") + str(after)
    assert "hunter2secret" not in everything
    assert "[REDACTED:" in after["resolution"]


async def test_an_unknown_audit_is_not_found(audit: OwnAudit) -> None:
    by_key = await audit.api.client.update(requestId="nobody", phase="FAILED")
    by_id = await audit.api.client.update(id="UmVtZWRpYXRpb25BdWRpdDo5ODc2NTQzMjE=", phase="FAILED")
    impossible = await audit.api.client.update(requestId="a\x00b", phase="FAILED")

    assert by_key == {
        "__typename": "NotFoundError",
        "message": "no remediation audit with requestId nobody",
        "code": "NOT_FOUND",
        "retryable": False,
    }
    assert (by_id["__typename"], impossible["__typename"]) == ("NotFoundError", "NotFoundError")


async def test_the_audit_can_be_named_by_its_global_id(audit: OwnAudit) -> None:
    created = await audit.create()

    result = await audit.api.client.update(id=created["id"], phase="FAILED")

    assert result["remediationAudit"]["phase"] == "FAILED"


async def test_naming_no_audit_two_or_one_of_another_type_is_refused(audit: OwnAudit) -> None:
    created = await audit.create()

    none = await audit.api.client.update(phase="FAILED")
    two = await audit.attempt(id=created["id"], phase="FAILED")
    other = await audit.api.client.update(id="V29ya2Zsb3dBdWRpdDox", phase="FAILED")

    assert [answer["__typename"] for answer in (none, two, other)] == ["ValidationError"] * 3
    assert [fault["field"] for answer in (none, two, other) for fault in answer["faults"]] == [
        "requestId",
        "requestId",
        "id",
    ]


async def test_a_caller_changes_nothing_outside_its_scope_or_without_the_right(audit: OwnAudit) -> None:
    await audit.create()
    outsider = Caller("outsider", frozenset(Right), Scope(namespaces=frozenset({"search"})))
    reader = Caller("reader", frozenset({Right.READ}))

    for caller, error in ((outsider, RecordNotFound), (reader, Forbidden)):
        with pytest.raises(error):
            await update_record(
                audit.api.deps, caller, REMEDIATION, RecordKey(key=audit.key), {"severity": "LOW"}
            )
    assert await audit.stored("version") == 1


async def test_the_event_names_who_changed_it(audit: OwnAudit) -> None:
    await audit.create()
    caller = Caller("controller", frozenset(Right), declared_actor="alice")

    await update_record(audit.api.deps, caller, REMEDIATION, RecordKey(key=audit.key), {"severity": "LOW"})

    event = await audit.api.sql.fetchrow(
        "SELECT actor, declared_actor, namespace, cluster_name FROM remediation_event "
        "WHERE subject_key = $1 AND version = 2",
        audit.key,
    )
    assert tuple(event) == ("controller", "alice", "payments", "prod-eu-1")
