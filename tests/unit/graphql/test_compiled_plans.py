"""Which parts of an operation have a generated function, and which are left to graphql-core."""

import pytest

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


def gaps_of(operation: CompiledOperation, **variables: object) -> list[str] | None:
    """What resolvers are asked for after the generated function of the only root field has run; None without one."""
    plan = plan_of(operation, **variables)
    (by,) = plan.root_fields.values()
    call = plan.call(plan.root_type, by)
    return None if call is None or call.answering is None else [gap.key for gap in call.answering.gaps]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("id name phase startTime metadata __typename", []),
        ("errorMessage(format: HTML)", []),
        ("name some: analyses { nodes { id } } workflows { totalCount }", ["some", "workflows"]),
        ("similar { mode }", ["similar"]),
    ],
)
def test_a_generated_function_leaves_gaps_for_what_resolvers_are_asked(
    selection: str, expected: list[str]
) -> None:
    document = f"{{ remediationAudits {{ nodes {{ {selection} }} }} }}"

    assert gaps_of(compiled(document)) == expected


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("nodes { id }", []),
        ("pageInfo { endCursor } edges { cursor node { name } }", []),
        ("totalCount", ["totalCount"]),
    ],
)
def test_pages_have_a_gap_only_for_their_count(selection: str, expected: list[str]) -> None:
    assert gaps_of(compiled(f"{{ remediationAudits {{ {selection} }} }}")) == expected


def test_what_a_gap_is_filled_with_has_gaps_of_its_own() -> None:
    plan = plan_of(
        compiled("{ remediationAudits { nodes { analyses { nodes { remediation { name } } } } } }")
    )
    (by,) = plan.root_fields.values()
    call = plan.call(plan.root_type, by)
    assert call is not None
    assert call.answering is not None

    (analyses,) = call.answering.gaps

    assert analyses.call.answering is not None
    assert [gap.key for gap in analyses.call.answering.gaps] == ["remediation"]


def test_an_argument_that_comes_with_the_request_leaves_a_gap() -> None:
    operation = compiled(
        "query ($f: TextFormat = HTML) { remediationAudits { nodes { errorMessage(format: $f) } } }"
    )

    assert gaps_of(operation) == ["errorMessage"]


@pytest.mark.parametrize(
    "document",
    [
        "mutation { deleteNothing: __typename }",
        "{ node(id: 1) { id } }",
    ],
)
def test_what_has_no_function_is_left_to_graphql_core(document: str) -> None:
    assert gaps_of(compiled(document)) is None


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
