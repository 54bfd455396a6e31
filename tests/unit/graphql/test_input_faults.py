"""Inputs that GraphQL's types refuse: which field is at fault and why, without repeating what was sent."""

from typing import Any

import pytest

from datastorage.graphql.schema import Schema, build_schema
from support.records import remediation_input

CREATE = (
    "mutation($input: CreateRemediationAuditInput!) { createRemediationAudit(input: $input) { __typename } }"
)
SECRET = "hunter2secret"


@pytest.fixture(scope="module")
def schema() -> Schema:
    return build_schema()


def faults(schema: Schema, query: str, **variables: Any) -> list[tuple[str | None, str | None]]:
    """Field and reason of each error; none may echo the secret, all must be the client's."""
    result = schema.execute_sync(query, variable_values=variables)
    errors = [error.formatted for error in result.errors or []]
    assert SECRET not in str(errors)
    extensions = [error["extensions"] for error in errors]
    assert {each["code"] for each in extensions} == {"BAD_USER_INPUT"}
    return [(each.get("field"), each.get("reason")) for each in extensions]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"name": None}, ("name", "REQUIRED")),
        ({"name": {"password": SECRET}}, ("name", "INVALID")),
        ({"name": 5}, ("name", "INVALID")),
        ({"severity": SECRET}, ("severity", "INVALID")),
        ({"severity": "HIG"}, ("severity", "INVALID")),  # near enough for a suggestion
        ({"severity": {"x": SECRET}}, ("severity", "INVALID")),
        ({"severity": f"{SECRET}' does not exist in 'Phase' enum"}, ("severity", "INVALID")),
        ({"startTime": SECRET}, ("startTime", "INVALID")),
        ({"startTime": [SECRET]}, ("startTime", "INVALID")),
        ({"metadata": SECRET}, ("metadata", "INVALID")),
        ({"metadata": [SECRET]}, ("metadata", "INVALID")),
        ({"unknown": SECRET}, ("unknown", "INVALID")),
        (
            {"nam": SECRET},
            ("nam", "INVALID"),
        ),  # near enough for a suggestion, after which the input is quoted
    ],
)
def test_a_variable_at_fault_is_named_and_not_repeated(
    schema: Schema, wrong: dict[str, Any], fault: tuple[str, str]
) -> None:
    given = {**remediation_input(errorMessage=SECRET), **wrong}

    assert faults(schema, CREATE, input=given) == [fault]


def test_a_missing_field_is_required(schema: Schema) -> None:
    assert faults(schema, CREATE, input=remediation_input(name=None, errorMessage=SECRET)) == [
        ("name", "REQUIRED")
    ]


def test_all_faults_are_told_at_once(schema: Schema) -> None:
    given = remediation_input(namespace=None, severity=SECRET, startTime=SECRET)

    assert sorted(faults(schema, CREATE, input=given)) == [
        ("namespace", "REQUIRED"),
        ("severity", "INVALID"),
        ("startTime", "INVALID"),
    ]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ("(orderBy: [{}])", ("field", "REQUIRED")),
        ("(orderBy: [{nope: 1, field: NAME}])", ("nope", "INVALID")),
        (f"(filter: {{phase: {{eq: {SECRET}}}}})", ("phase", "INVALID")),
        (f'(filter: {{startTime: {{eq: "{SECRET}"}}}})', (None, None)),  # a literal's error tells no field
        (f'(first: "{SECRET}")', (None, None)),
    ],
)
def test_a_literal_at_fault_is_not_repeated(
    schema: Schema, arguments: str, fault: tuple[str | None, str | None]
) -> None:
    assert faults(schema, f"{{ remediationAudits{arguments} {{ nodes {{ id }} }} }}") == [fault]


ORDERED = "query($order: [RemediationAuditOrder!]) { remediationAudits(orderBy: $order) { nodes { id } } }"


@pytest.mark.parametrize(
    ("term", "fault"),
    [
        ({"field": "BOGUS"}, ("field", "INVALID")),
        ({"direction": "ASC"}, ("field", "REQUIRED")),
        ({"field": "NAME", "direction": None}, ("direction", "REQUIRED")),
    ],
)
def test_places_in_lists_are_left_out_of_the_field(
    schema: Schema, term: dict, fault: tuple[str, str]
) -> None:
    assert faults(schema, ORDERED, order=[{"field": "ID"}, term]) == [fault]
