"""Role × root field: who may ask for what. A new field without an entry fails."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    get_named_type,
    is_composite_type,
    is_input_object_type,
    is_required_argument,
    is_required_input_field,
)

from datastorage.domain.caller import EVERYWHERE, OPERATOR, Right, Role, Scope
from datastorage.graphql.schema import build_schema
from datastorage.services.access.api_keys import create_key
from datastorage.services.dependencies import Dependencies
from support.access import Service, served

READ, WRITE, ADMIN = {Right.READ}, {Right.WRITE}, {Right.ADMIN}
NEEDS: dict[str, set[Right]] = {
    "Query.remediationAudit": READ,
    "Query.remediationAudits": READ,
    "Query.validateRemediationAudit": WRITE,
    "Query.aiAnalysisAudit": READ,
    "Query.aiAnalysisAudits": READ,
    "Query.workflowAudit": READ,
    "Query.workflowAudits": READ,
    "Query.executionAudit": READ,
    "Query.executionAudits": READ,
    "Query.remediation": READ,
    "Query.similarIncidents": READ,
    "Query.recommendedActions": READ,
    "Query.actionGuard": READ,
    "Query.remediationStats": READ,
    "Query.timeSeries": READ,
    "Query.facets": READ,
    "Query.staleRemediations": READ,
    "Query.node": READ,
    "Query.systemStatus": ADMIN,
    "Query.accessAudit": ADMIN,
    "Mutation.createRemediationAudit": WRITE,
    "Mutation.createRemediationAudits": WRITE,
    "Mutation.updateRemediationAudit": WRITE,
    "Mutation.upsertRemediationAudit": WRITE,
    "Mutation.upsertRemediationAudits": WRITE,
    "Mutation.recordFeedback": WRITE,
    "Mutation.createAiAnalysisAudit": WRITE,
    "Mutation.createAiAnalysisAudits": WRITE,
    "Mutation.createWorkflowAudit": WRITE,
    "Mutation.createWorkflowAudits": WRITE,
    "Mutation.updateWorkflowAudit": WRITE,
    "Mutation.createExecutionAudit": WRITE,
    "Mutation.createExecutionAudits": WRITE,
}
CALLERS: dict[str, Any] = {
    "reader": Role.READER,
    "writer": Role.WRITER,
    "admin": Role.ADMIN,
    "only-write": [Right.WRITE],
    "nothing": [],
}
SCHEMA = build_schema()._schema
SCALARS = {
    "DateTime": '"2026-01-01T00:00:00Z"',
    "ID": '"UmVtZWRpYXRpb25BdWRpdDox"',
    "Int": "1",
    "Float": "0.5",
}
SCALARS |= {"Boolean": "true", "String": '"a/b/c"', "BigInt": "1", "JSONObject": "{}"}
EXTRA = {
    "updateRemediationAudit": {"input": '{requestId: "x"}'},
    "updateWorkflowAudit": {"input": '{workflowId: "x"}'},
    "actionGuard": {"target": '"Pod/a"'},
    "recommendedActions": {"text": '"x"'},
    "facets": {"fields": "[PHASE]"},
}
ONE_OF_KEYS = {
    "remediationAudit": 'requestId: "x"', "aiAnalysisAudit": 'analysisId: "x"',
    "workflowAudit": 'workflowId: "x"', "executionAudit": 'executionId: "x"',
}  # fmt: skip


def root_fields() -> dict[str, GraphQLField]:
    return {
        f"{parent.name}.{name}": field
        for parent in (SCHEMA.query_type, SCHEMA.mutation_type)
        for name, field in parent.fields.items()
    }


def literal(of: Any, depth: int = 0) -> str:
    """Something that coerces; whether it is good does not matter to who is denied."""
    shape, of = str(of), get_named_type(of)
    if is_input_object_type(of):
        given = [
            f"{name}: {literal(f.type, depth + 1)}"
            for name, f in of.fields.items()
            if is_required_input_field(f)
        ]
        value = f"{{{', '.join(given)}}}"
    else:
        value = SCALARS.get(of.name) or next(iter(of.values))
    return f"[{value}]" if shape.startswith("[") else value


def document(name: str) -> str:
    parent, _, field_name = name.partition(".")
    field = root_fields()[name]
    given = {arg: literal(of.type) for arg, of in field.args.items() if is_required_argument(of)}
    arguments = ", ".join(f"{arg}: {value}" for arg, value in (given | EXTRA.get(field_name, {})).items())
    arguments = ONE_OF_KEYS.get(field_name, arguments)
    called = f"{field_name}({arguments})" if arguments else field_name
    selection = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return f"{'mutation' if parent == 'Mutation' else 'query'} {{ {called}{selection} }}"


def denied(body: dict[str, Any]) -> bool:
    codes = {error["extensions"]["code"] for error in body.get("errors", [])}
    assert codes <= {"FORBIDDEN", "BAD_USER_INPUT"}, body
    answers = [answer for answer in (body.get("data") or {}).values() if answer is not None]
    typenames = {
        one["__typename"] for answer in answers for one in (answer if isinstance(answer, list) else [answer])
    }
    return "FORBIDDEN" in codes or "ForbiddenError" in typenames


def test_every_root_field_says_what_it_needs() -> None:
    assert set(NEEDS) == set(root_fields())


@pytest.fixture
async def service(deps: Dependencies) -> AsyncIterator[tuple[Service, dict[str, str]]]:
    secrets = {}
    for name, granted in CALLERS.items():
        secrets[name] = (await create_key(deps, OPERATOR, name, granted, EVERYWHERE, None)).secret
    everything_in_one_place = Scope(frozenset({"shop"}))
    key = await create_key(deps, OPERATOR, "scoped-admin", Role.ADMIN, everything_in_one_place, None)
    async with served(deps, auth_modes="api_key") as opened:
        yield opened, secrets | {"scoped-admin": key.secret}


async def test_each_role_may_do_what_it_may_and_nothing_else(
    service: tuple[Service, dict[str, str]], deps: Dependencies
) -> None:
    api, secrets = service
    wrong = []
    for name, rights in NEEDS.items():
        for caller, granted in CALLERS.items():
            held = {Role.READER: {Right.READ}, Role.WRITER: {Right.READ, Right.WRITE}, Role.ADMIN: set(Right)}
            may = rights <= (held[granted] if isinstance(granted, Role) else set(granted))
            answer = await api.ask(document(name), {"x-api-key": secrets[caller]})
            if denied(answer.body) is may:
                wrong.append((name, caller, answer.body))
    assert wrong == []


@pytest.mark.parametrize("name", ["Query.systemStatus", "Query.accessAudit"])
async def test_what_tells_of_all_tenants_is_not_for_an_administrator_of_one(
    service: tuple[Service, dict[str, str]], name: str
) -> None:
    api, secrets = service

    assert denied((await api.ask(document(name), {"x-api-key": secrets["scoped-admin"]})).body)
