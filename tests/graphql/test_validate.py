"""validateRemediationAudit: what a create would answer, with nothing written."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.enums import ValidationOutcome
from datastorage.domain.remediation import REMEDIATION
from datastorage.errors import Forbidden
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.validate import Validation, validate_record
from support.client import GraphQLClient
from support.records import remediation_input, remediation_row

VALIDATE = """query($input: CreateRemediationAuditInput!) { validateRemediationAudit(input: $input) {
  valid outcome faults { field reason message } redactions { field pattern count } conflictingFields } }"""
TABLES = ("remediation_audit", "remediation_event", "incident_embedding", "incident_lexical")


async def validate(client: GraphQLClient, **fields: Any) -> dict[str, Any]:
    answer = await client.ask(VALIDATE, input=remediation_input(**fields))
    return answer.data["validateRemediationAudit"]


@pytest.fixture(autouse=True)
async def nothing_written(sql: asyncpg.Connection) -> AsyncIterator[None]:
    """No validation leaves a trace: only the create under rr-1 may be there."""
    yield
    rows = [await sql.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES]  # noqa: S608 -- names above
    assert set(rows) <= {0, 1}
    assert await sql.fetchval("SELECT count(*) FROM remediation_audit WHERE version > 1") == 0


async def test_a_good_audit_would_be_created(client: GraphQLClient, sql: asyncpg.Connection) -> None:
    found = await validate(client, errorMessage="password=hunter2secret")

    assert found == {
        "valid": True,
        "outcome": "CREATED",
        "faults": [],
        "redactions": [{"field": "errorMessage", "pattern": "password", "count": 1}],
        "conflictingFields": [],
    }
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 0


async def test_the_same_audit_again_would_be_replayed_and_another_conflict(client: GraphQLClient) -> None:
    await client.create(**remediation_input())

    same, other = await validate(client), await validate(client, severity="LOW", name="other")

    assert (same["valid"], same["outcome"]) == (True, "REPLAYED")
    assert (other["valid"], other["outcome"]) == (False, "CONFLICT")
    assert other["conflictingFields"] == ["name", "severity"]


async def test_a_bad_audit_would_be_refused_with_the_faults_of_the_create(client: GraphQLClient) -> None:
    bad = remediation_input(name="NOT A NAME", targetResource="x", endTime="2025-01-01T00:00:00Z")

    found = await validate(client, **bad)

    assert (found["valid"], found["outcome"]) == (False, "REFUSED")
    assert [fault["field"] for fault in found["faults"]] == ["name", "targetResource", "endTime"]
    assert found["faults"] == (await client.create(**bad))["faults"]


async def test_rights_scope_and_masking_are_those_of_the_create(
    client: GraphQLClient, deps: Dependencies
) -> None:
    await client.create(**remediation_input())
    outsider = Caller("outsider", frozenset(Right), Scope(namespaces=frozenset({"search"})))
    reader = Caller("reader", frozenset({Right.READ}))

    for caller in (outsider, reader):
        with pytest.raises(Forbidden):
            await validate_record(deps, caller, REMEDIATION, remediation_row())
    masked = await validate_record(deps, outsider, REMEDIATION, remediation_row(namespace="search"))

    assert masked == Validation(ValidationOutcome.CONFLICT)
