"""Which parts of an operation have a generated function, and which are left to graphql-core."""

import pytest
from graphql import GraphQLObjectType

from datastorage.graphql.compiled.operation import CompiledOperation
from datastorage.graphql.compiled.operations import CompiledOperations
from datastorage.graphql.compiled.plan import Plan
from datastorage.graphql.compiled.unsupported import Unsupported
from datastorage.graphql.query_limits import QueryLimits
from datastorage.graphql.schema import build_schema

SCHEMA = build_schema()._schema


def compiled(document: str, name: str | None = None) -> CompiledOperation:
    return CompiledOperation(SCHEMA, document, name, QueryLimits())


def plan_of(operation: CompiledOperation, **variables: object) -> Plan:
    values = operation.coerced(variables)
    assert not isinstance(values, list)
    return operation.plan(values)


def has_function(document: str, *path: str) -> bool:
    """Whether the object at the end of a path of fields is written by a generated function."""
    plan = plan_of(compiled(document))
    of: GraphQLObjectType = plan.root_type
    fields = plan.root_fields
    for step in path:
        by = fields[step]
        named = of.fields[by[0].node.name.value].type
        while hasattr(named, "of_type"):
            named = named.of_type
        of = named
        fields = plan.selected(of, by).grouped_field_set
    return plan.serialiser(of, by) is not None


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("id name phase startTime metadata __typename", True),
        ("errorMessage(format: HTML)", True),
        ("name analyses { nodes { id } }", False),
        ("similar { mode }", False),
    ],
)
def test_records_without_relations_have_a_function(selection: str, expected: bool) -> None:
    document = f"{{ remediationAudits {{ nodes {{ {selection} }} }} }}"

    assert has_function(document, "remediationAudits", "nodes") is expected


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("nodes { id }", True),
        ("pageInfo { endCursor } edges { cursor node { name } }", True),
        ("totalCount", False),
    ],
)
def test_pages_have_a_function_unless_they_must_be_counted(selection: str, expected: bool) -> None:
    assert has_function(f"{{ remediationAudits {{ {selection} }} }}", "remediationAudits") is expected


def test_an_argument_that_comes_with_the_request_is_left_to_graphql_core() -> None:
    operation = compiled(
        "query ($f: TextFormat = HTML) { remediationAudits { nodes { errorMessage(format: $f) } } }"
    )
    plan = plan_of(operation)
    page = SCHEMA.query_type.fields["remediationAudits"].type.of_type
    assert plan.serialiser(page, plan.root_fields["remediationAudits"]) is None


def test_each_outcome_of_a_condition_has_its_own_plan() -> None:
    operation = compiled(
        "query ($with: Boolean!, $id: ID) { remediationAudit(id: $id) { id name @include(if: $with) } }"
    )

    bare, full = plan_of(operation, **{"with": False}), plan_of(operation, **{"with": True})

    assert bare is not full
    assert plan_of(operation, **{"with": True, "id": "another"}) is full


@pytest.mark.parametrize(
    "document", ["fragment all on Audit { id }", "query One { __typename } query Two { __typename }"]
)
def test_what_is_no_single_operation_is_unsupported(document: str) -> None:
    with pytest.raises(Unsupported):
        compiled(document)


WANTED = {
    "{ remediationAudit { id name again: name __typename } }": {"id", "name"},
    "{ remediationAudit { errorMessage(format: HTML) databaseId } }": {"id", "error_message"},
    "{ remediationAudit { analyses { nodes { model } } } }": {"remediation_request_id", "workflow_id"},
    "{ remediationAudits { nodes { name } edges { cursor node { phase } } pageInfo { endCursor } } }": {
        "name",
        "phase",
    },
    "{ remediationAudits { totalCount } }": set(),
    "{ remediationAudits { ...page } } fragment page on RemediationAuditConnection { nodes { ...record } } "
    "fragment record on Node { id ... on RemediationAudit { severity } }": {"id", "severity"},
    "{ remediationAudit { similar { mode } } }": None,
    "{ node(id: 1) { id } }": None,
}


@pytest.mark.parametrize("document", WANTED)
def test_only_the_attributes_that_are_read_are_wanted(document: str) -> None:
    plan = plan_of(compiled(document))
    (by,) = plan.root_fields.values()

    call = plan.call(plan.root_type, by)

    assert call is not None
    assert call.wanted == WANTED[document]


def test_the_longest_unused_operation_is_forgotten_first() -> None:
    operations = CompiledOperations(chars_max=60)
    first, second, third = ((f"{{{alias}: __typename}}".ljust(25), None) for alias in "abc")
    for key in (first, second):
        operations.put(key, compiled(key[0]))
    operations.get(first)

    operations.put(third, compiled(third[0]))

    assert [key in operations for key in (first, second, third)] == [True, False, True]
