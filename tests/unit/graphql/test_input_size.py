"""How much is sent as variables."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from datastorage.graphql.input_size import InputSize, SentVariables
from datastorage.graphql.schema import build_schema
from support.records import remediation_input

SCHEMA = build_schema()._schema
MOST = InputSize(1_000, 60_000)
FILTER, INPUTS = "$v: RemediationAuditFilter", "$v: [CreateRemediationAuditInput!]!"


def size(declared: str, value: Any, most: InputSize = MOST) -> InputSize:
    (operation,) = parse(f"query ({declared}) {{ __typename }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    return SentVariables(SCHEMA, operation.variable_definitions or ()).measured({"v": value}, most)


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        ("$v: Int", 1, InputSize()),
        ("$v: String", "a" * 1_000, InputSize()),
        (FILTER, None, InputSize()),
        (FILTER, {}, InputSize(1, 0)),
        (FILTER, {"name": {"in": ["a", "b", "c"]}}, InputSize(2, 1 + 1 + 3)),
        (FILTER, {"or": [{}, {"not": {}}]}, InputSize(4, 1 + 2 + 1)),
        (FILTER, {"or": {}}, InputSize(2, 1 + 1)),
        (FILTER, {"nothing": {"a": [1, 2]}, "name": 1}, InputSize(1, 2)),
        (FILTER, {"metadata": {"contains": {"a": {"b": [{}, {}]}}}}, InputSize(2, 1 + 1)),
        ("$v: [RemediationAuditOrder!]", [{"field": "NAME"}] * 2, InputSize(2, 2 + 2)),
        (INPUTS, [remediation_input(metadata={"a": [{}] * 50})] * 500, InputSize(500, 500 * 13)),
        ("$v: Nothing", [{}] * 5, InputSize()),
    ],
)
def test_objects_and_values_are_counted_but_what_json_holds_is_not(
    declared: str, value: Any, expected: InputSize
) -> None:
    assert size(declared, value) == expected


def test_what_is_too_much_is_not_counted_to_its_end() -> None:
    assert size(INPUTS, [{}] * 500_000) == InputSize(0, 500_000)
    assert size(FILTER, {"or": [{"or": [{}] * 400}] * 400}).objects == 1_001
