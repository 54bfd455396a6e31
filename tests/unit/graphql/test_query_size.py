"""How large an operation is before it is validated."""

import pytest
from graphql import parse

from datastorage.graphql.query_size import QuerySize, TooDeep, measured
from datastorage.graphql.schema import build_schema

SCHEMA = build_schema()._schema


def size(text: str, name: str | None = None, **variables: object) -> QuerySize:
    return measured(SCHEMA, parse(text), name, variables)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ __typename }", 0),
        ('{ remediationAudit(requestId: "a") { name } }', 1),
        ("{ remediationAudits { nodes { name } } }", 1 + 20),
        ("{ remediationAudits(first: 3) { nodes { name } } }", 1 + 3),
        ("{ remediationAudits(last: 3) { edges { node { name } } pageInfo { endCursor } } }", 1 + 3),
        ("{ remediationAudits(first: 3) { totalCount } }", 1),
        (
            "{ remediationAudits(first: 3) { nodes { analyses(first: 5) { nodes { model } } } } }",
            1 + 3 * (1 + 1 + 5),
        ),
        ("{ remediationAudits(first: 1000) { nodes { name } } }", 1 + 100),
        ("{ remediationAudits(first: -1) { nodes { name } } }", 1),
        ('{ similarIncidents(text: "a") { hits { incident { name } } } }', 1 + 10),
    ],
)
def test_cost_is_lists_and_records_with_page_sizes_multiplied(text: str, cost: int) -> None:
    assert size(text).cost == cost


def test_page_sizes_come_from_variables_and_their_defaults() -> None:
    text = "query($n: Int = 7) { remediationAudits(first: $n) { nodes { name } } }"

    assert (size(text).cost, size(text, n=50).cost) == (1 + 7, 1 + 50)


def test_a_batch_counts_once_for_each_input() -> None:
    text = """mutation($i: [CreateRemediationAuditInput!]!) { createRemediationAudits(inputs: $i) {
      ... on CreateRemediationAuditPayload { remediationAudit { similar { hits { incident { name } } } } } } }"""

    assert size(text, i=[{}] * 4).cost == 1 + 4 * (1 + 1 + 10)


def test_fragments_count_wherever_they_are_spread() -> None:
    text = """
      { a: remediationAudit(requestId: "a") { ...F } b: remediationAudit(requestId: "b") { ... { ...F } } }
      fragment F on RemediationAudit { x: name analyses { nodes { y: model } } }
    """

    assert size(text) == QuerySize(depth=4, fields=2 * 5, aliases=2 * 3, cost=2 * (1 + 1 + 20))


def test_only_the_operation_that_runs_is_measured() -> None:
    text = 'query A { node(id: "a") { id } } query B { remediationAudits { nodes { name } } }'

    assert (size(text, "A").cost, size(text, "B").cost) == (1, 21)


def test_introspection_has_no_depth_and_costs_nothing() -> None:
    text = "{ __schema { types { fields { type { ofType { ofType { name } } } } } } }"

    assert size(text) == QuerySize(depth=0, fields=7, aliases=0, cost=0)


@pytest.mark.parametrize(
    "text",
    [
        "{ ...F } fragment F on Query { ...F }",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F node(id: 1) { id } }",
        "{ ...Missing }",
        "{ nothing { nowhere(first: 3) { name } } }",
        "{ ...F } fragment F on Nowhere { name }",
        "subscription { anything }",
    ],
)
def test_broken_operations_are_left_to_validation(text: str) -> None:
    assert size(text).cost <= 1


def test_exponential_fragments_are_measured_at_once() -> None:
    doubled = " ".join(
        f"fragment F{i} on Query {{ a{i}: __typename ...F{i + 1} ...F{i + 1} }}" for i in range(49)
    )
    text = f"{{ ...F0 }} {doubled} fragment F49 on Query {{ __typename }}"

    assert size(text).fields == 2**50 - 1


def test_a_long_chain_of_fragments_is_not_followed() -> None:
    spread = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} }}" for i in range(50))

    with pytest.raises(TooDeep):
        size(f"{{ ...F0 }} {spread} fragment F50 on Query {{ __typename }}")


def test_objects_are_counted_where_they_are_written_out() -> None:
    text = """query($f: RemediationAuditFilter = {and: [{}, {name: {eq: "a"}}]}) {
      remediationAudits(filter: {or: [{}, {}]}) { nodes { ...F } } }
      fragment F on RemediationAudit { analyses(filter: {model: {eq: "a"}}) { nodes { id } } }"""

    assert size(text).objects == (1 + 1 + 2) + 3 + 2


@pytest.mark.parametrize(
    ("text", "kibibytes"),
    [
        ("{ remediationAudits { nodes { name status } } }", 0),
        ("{ remediationAudits(first: 3) { nodes { name metadata } } }", 3 * 64),
        (
            "{ remediationAudits(first: 3) { nodes { a: errorMessage b: errorMessage resolution } } }",
            3 * 3 * 10,
        ),
        (
            "{ remediationAudits(first: 3) { nodes { metadata analyses(first: 5) { nodes { rootCause } } } } }",
            3 * (64 + 5 * 10),
        ),
        (
            '{ a: remediationAudit(requestId: "a") { metadata } b: workflowAudit(id: "b") { metadata } }',
            2 * 64,
        ),
    ],
)
def test_json_and_texts_count_as_large_as_they_may_be(text: str, kibibytes: int) -> None:
    assert size(text).kibibytes == kibibytes


def test_of_a_batch_no_more_comes_back_than_was_mostly_sent() -> None:
    text = """mutation($i: [CreateRemediationAuditInput!]!) { createRemediationAudits(inputs: $i) {
      ... on CreateRemediationAuditPayload { remediationAudit { metadata actionParameters resolution } } } }"""

    assert size(text, i=[{}] * 500).kibibytes == 500 * 16
