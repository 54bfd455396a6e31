"""Compiled execution answers what the reference executor answers, byte for byte, errors included."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from datastorage.observability.labels import Executor
from support.executors import Executors, both_executors, executed_by, with_some_of_everything

FIELDS = """id databaseId version remediationRequestId name namespace phase status actionType actionParameters
  startTime endTime durationMs alertFingerprint severity environment clusterName targetResource targetKind
  targetNamespace targetName errorMessage resolution metadata createdAt updatedAt"""
LIST = f"""query List($first: Int, $after: String, $last: Int, $order: [RemediationAuditOrder!],
  $filter: RemediationAuditFilter, $with: Boolean = true, $cap: Int) {{
  remediationAudits(first: $first, after: $after, last: $last, orderBy: $order, filter: $filter) {{
    nodes {{ ...all again: name phase @include(if: $with) __typename }}
    edges {{ cursor node {{ severity @skip(if: $with) id ... on Node {{ id }} }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    totalCount(cap: $cap)
  }}
}}
fragment all on RemediationAudit {{ {FIELDS} html: errorMessage(format: HTML) }}"""
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "a page": (LIST, {"first": 3}),
    "the last page": (LIST, {"last": 2, "cap": 2}),
    "conditions turned": (LIST, {"first": 2, "with": False}),
    "a condition that is null": (LIST, {"with": None}),
    "a filter and an order": (
        LIST,
        {"filter": {"phase": {"eq": "FAILED"}}, "order": [{"field": "NAME", "direction": "DESC"}]},
    ),
    "nothing found": (LIST, {"filter": {"name": {"eq": "nobody"}}}),
    "a bad cursor": (LIST, {"after": "bad"}),
    "a page too large": (LIST, {"first": 101}),
    "both ends": (LIST, {"first": 1, "last": 1}),
    "a cap that is refused": (LIST, {"cap": 0}),
    "an unknown enum value": (LIST, {"order": [{"field": "NOTHING"}]}),
    "a variable of another type": (LIST, {"first": "three"}),
    "an unknown filter field": (LIST, {"filter": {"nothing": {"eq": 1}}}),
    "an id that is none": ('{ remediationAudit(id: "bad") { id } }', {}),
    "an id of another type": ('{ aiAnalysisAudit(id: "UmVtZWRpYXRpb25BdWRpdDox") { id } }', {}),
    "neither id nor key": ("{ remediationAudit { id } }", {}),
    "a missing record": ('{ remediationAudit(requestId: "none") { id } }', {}),
    "roots beside each other, one refused": (
        '{ a: remediationAudit(requestId: "rr-1") { name } b: remediationAudit(id: "bad") { id } }',
        {},
    ),
    "two refused": ('{ a: remediationAudit(id: "x") { id } b: remediationAudit(id: "y") { id } }', {}),
    "by node": (
        (
            "query ($id: ID!) { node(id: $id) { __typename id ... on RemediationAudit { name severity } "
            "... on Audit { createdAt } } }"
        ),
        {"id": "UmVtZWRpYXRpb25BdWRpdDox"},
    ),
    "a format by variable": (
        "query ($format: TextFormat!) { remediationAudits { nodes { errorMessage(format: $format) } } }",
        {"format": "HTML"},
    ),
    "relations": (
        (
            "{ remediationAudits(first: 4) { nodes { remediationRequestId analyses { nodes { model confidenceScore "
            "remediation { name } } totalCount } workflows(first: 2) { nodes { phase } } "
            "executions { edges { node { success } } } events { nodes { __typename } } } } }"
        ),
        {},
    ),
    "a relation that is refused": (
        "{ remediationAudits(first: 4) { nodes { name analyses(first: 0) { nodes { id } } } } }",
        {},
    ),
    "two operations": ("query One { __typename } query Two { remediationAudits { totalCount } }", {}),
    "introspection": (
        '{ __schema { queryType { name } } __type(name: "Node") { name fields { name } } }',
        {},
    ),
    "invalid": ("{ remediationAudits { nodes { nothing } } }", {}),
    "no document": ("{ remediationAudits {", {}),
}


@pytest.fixture(scope="module")
def executors(server_url: URL, template: str) -> Iterator[Executors]:
    with both_executors(server_url, template) as (opened, _):
        with_some_of_everything(opened)
        yield opened


@pytest.mark.parametrize("name", CASES)
def test_answers_are_the_same_for(executors: Executors, name: str) -> None:
    query, variables = CASES[name]

    compiled, reference = executors.both(query, **variables)

    assert compiled == reference


def test_a_compiled_operation_answers_for_other_variables(executors: Executors) -> None:
    executors.ask(executors.compiled, LIST, first=1)
    before = executed_by(Executor.COMPILED)

    for name in (
        "a page",
        "conditions turned",
        "a bad cursor",
        "a page too large",
        "a variable of another type",
    ):
        variables = CASES[name][1]
        answer = executors.ask(executors.compiled, LIST, **variables)
        assert answer == executors.ask(executors.reference, LIST, **variables)

    assert executed_by(Executor.COMPILED) == before + 5


def test_an_operation_that_is_too_large_with_its_variables_is_refused_alike(executors: Executors) -> None:
    inner = "analyses(first: $first) { nodes { workflows(first: $first) { nodes { id } } } }"
    query = f"query ($first: Int) {{ remediationAudits(first: $first) {{ nodes {{ {inner} }} }} }}"
    executors.ask(executors.compiled, query, first=1)

    compiled = executors.ask(executors.compiled, query, first=100)

    assert b"COST_EXCEEDED" in compiled
    assert compiled == executors.ask(executors.reference, query, first=100)
