"""The attacks of well-known GraphQL security checklists (OWASP's cheat sheet, graphql-cop, BatchQL, InQL and others)."""
# ruff: noqa: UP031 -- GraphQL is full of braces

from __future__ import annotations

import json
from typing import Final

from support.attacks.hostile import nested
from support.attacks.witness import Case, operation

COST, INPUT = "COST_EXCEEDED", "BAD_USER_INPUT"
PAGE: Final = "remediationAudits(first: 1) { nodes { name } }"
LIST: Final = (
    "query ($filter: RemediationAuditFilter) { remediationAudits(filter: $filter) { nodes { name } } }"
)
ORDERED: Final = (
    "query ($order: [RemediationAuditOrder!]) { remediationAudits(orderBy: $order) { nodes { name } } }"
)
BATCH: Final = "mutation ($inputs: [CreateRemediationAuditInput!]!) { createRemediationAudits(inputs: $inputs) { __typename } }"
FORM: Final = "application/x-www-form-urlencoded"


def repeated(pattern: str, times: int) -> str:
    """With `#` as the number of each."""
    return " ".join(pattern.replace("#", str(number)) for number in range(times))


def circle(size: int) -> str:
    """Fragments that spread each other in a circle."""
    fragments = [f"fragment f{n} on Query {{ ...f{(n + 1) % size} }}" for n in range(size)]
    return "{ ...f0 } " + " ".join(fragments)


def chain(length: int, spreads: int = 1) -> str:
    """Fragments that each spread the next one, so many times."""
    fragments = [f"fragment f{n} on Query {{ {f'...f{n + 1} ' * spreads}}}" for n in range(1, length)]
    return "{ ...f1 } " + " ".join(fragments) + f" fragment f{length} on Query {{ __typename }}"


def deep(levels: int) -> str:
    """Records of records of records."""
    inner = "name"
    for _ in range(levels):
        inner = "analyses { nodes { remediation { %s } } }" % inner
    return "{ remediationAudits { nodes { %s } } }" % inner


def deep_introspection(levels: int) -> str:
    inner = "name"
    for _ in range(levels):
        inner = "fields { type { %s } }" % inner
    return "{ __schema { types { %s } } }" % inner


def deep_filter(levels: int) -> object:
    value: object = {"name": {"eq": "a"}}
    for _ in range(levels):
        value = {"not": value}
    return value


def listed(filter_: str) -> str:
    """With a filter that is written out."""
    return "{ remediationAudits(filter: %s) { nodes { name } } }" % filter_


def refused_by_the_parser() -> dict[str, str]:
    """Too many tokens, too many levels, too long, or no GraphQL."""
    return {
        "a thousand aliases of roots": "{ %s }" % repeated("a#: " + PAGE, 1_000),
        "a field ten thousand times": "{ %s }" % repeated("__typename", 10_000),
        "a directive on 1,500 fields": "{ %s }" % repeated("__typename @skip(if: true)", 1_500),
        "records a hundred levels deep": deep(100),
        "braces ten thousand deep": "{a" * 10_000,
        "lists ten thousand deep": "{ a(b: %s) }" % ("[" * 10_000),
        "filters three hundred deep": listed("{not: " * 300 + '{name: {eq: "a"}}' + "}" * 300),
        "a megabyte of comment": "{ __typename } #" + "x" * 1_000_000,
        "a megabyte of white space": "{ __typename }" + " \n\t," * 250_000,
        "a name of a megabyte": "{ %s }" % ("a" * 1_000_000),
        "a block string without end": '{ remediationAudit(requestId: """%s' % ("a\n" * 10_000),
    }


def refused_by_validation() -> dict[str, str]:
    """Nothing of ours: no such thing, or not there."""
    return {
        "a thousand directives": "{ __typename %s }" % repeated("@skip(if: false)", 1_000),
        "a thousand unknown directives": "{ __typename %s }" % repeated("@a#", 1_000),
        "a thousand variables": "query (%s) { __typename }" % repeated("$v#: Int", 1_000),
        "a circle of one fragment": circle(1),
        "a circle of two fragments": circle(2),
        "introspection ten levels deep": deep_introspection(10),
        "two hundred operations": repeated("query q# { __typename }", 200),
        "a subscription": "subscription { remediationAudits { nodes { name } } }",
        "deferred fields": "{ ... @defer { remediationAudits { nodes { name } } } }",
        "fields by guess": "{ remediationAudit { nam } user { password } }",
        "a name as long as a document may be": "{ %s }" % ("a" * 99_000),
        "a number of a thousand digits": "{ remediationAudits(first: %s) { nodes { name } } }"
        % ("9" * 1_000),
    }


def refused_by_their_size() -> dict[str, str]:
    """Valid, and too much: COST_EXCEEDED."""
    pages = "analyses(first: 100) { nodes { remediation { executions(first: 100) { nodes { id } } } } }"
    feedback = 'a#: recordFeedback(requestId: "a#", similarTo: "b", helpful: true) { __typename }'
    return {
        "a hundred aliases and one": "{ %s }" % repeated("a#: __typename", 101),
        "a thousand aliases within": "{ remediationAudits { nodes { %s } } }" % repeated("a#: name", 1_000),
        "aliases of mutations": "mutation { %s }" % repeated(feedback, 500),
        "a field four thousand times": "{ %s }" % repeated("__typename", 4_000),
        "fields within fields 2,400 times": "{ %s }" % repeated("remediationAudits { nodes { name } }", 800),
        "records ten levels deep": deep(10),
        "pages of pages": "{ remediationAudits(first: 100) { nodes { %s } } }" % pages,
        "JSON of a hundred pages": "{ %s }"
        % repeated("a#: remediationAudits(first: 100) { nodes { metadata resolution } }", 100),
        "fragments that double sixteen times": chain(17, spreads=2),
        "fragments that double fifty times": chain(50, spreads=2),
        "a chain of five hundred fragments": chain(500),
        "a circle of a thousand fragments": circle(1_000),
        "two thousand objects": listed("{or: [%s]}" % ("{} " * 2_000)),
        "two thousand objects in a default": (
            "query ($f: RemediationAuditFilter = {or: [%s]}) { remediationAudits(filter: $f) { nodes { name } } }"
            % ("{} " * 2_000)
        ),
    }


def refused_by_resolvers() -> list[Case]:
    """Too much of what is allowed."""
    searches = repeated('a#: similarIncidents(text: "oom#") { hits { score } }', 50)
    return [
        operation("fifty searches", "{ %s }" % searches),
        operation("a page of a million", "{ remediationAudits(first: 1000000) { nodes { name } } }"),
        operation("a page below nothing", "{ remediationAudits(first: -1) { nodes { name } } }"),
        operation("501 values in one filter", listed("{name: {in: [%s]}}" % ('"a" ' * 501))),
        operation("filters twelve deep", listed("{not: " * 12 + '{name: {eq: "a"}}' + "}" * 12)),
        operation("filters fifty deep", LIST, filter=deep_filter(50)),
        operation("filters three hundred deep", LIST, filter=deep_filter(300)),
        operation("499 conditions", LIST, filter={"or": [{"name": {"eq": "a"}}] * 499}),
        operation("a batch of 501", BATCH, inputs=[None] * 501),
    ]


def refused_by_http() -> list[Case]:
    """No request at all."""
    return [
        Case("a list of operations", json.dumps([{"query": "{ __typename }"}] * 100).encode()),
        Case("a list of nothing", b"[]"),
        Case("a mutation by GET", method="GET", content_type=None, params={"query": "mutation { a }"}),
        Case("a form", b"query=%7B__typename%7D", content_type=FORM),
        Case("plain text", b'{"query": "{ __typename }"}', content_type="text/plain"),
        Case("a file", b"--x\r\n\r\n\r\n--x--", content_type="multipart/form-data; boundary=x"),
    ]


def harmless() -> list[Case]:
    """As much as is allowed: answered."""
    return [
        operation("a chain of fifty fragments", chain(50)),
        operation("a comment as long as a document may be", "{ __typename } #" + "x" * 99_000),
        operation(
            "a string as long as a document may be",
            '{ remediationAudit(requestId: "%s") { name } }' % ("a" * 99_000),
        ),
        operation("a condition of a megabyte", LIST, filter={"name": {"eq": "a" * 1_000_000}}),
        operation("objects two hundred deep in JSON", LIST, filter={"metadata": {"contains": nested(200)}}),
    ]


def large_variables(size: int) -> list[Case]:
    """So many bytes of values, each of which would take longer to look at than to send: COST_EXCEEDED."""

    def many(item: object) -> list[object]:
        return [item] * (size // (len(json.dumps(item)) + 2))

    unknown = {f"f{number}": 1 for number in range(size // 13)}
    step = {"path": {"path": many("a"), "eq": 1}}
    return [
        operation("conditions without number", LIST, filter={"or": many({"name": {"eq": "a"}})}),
        operation("empty conditions without number", LIST, filter={"and": many({})}),
        operation("conditions of conditions", LIST, filter={"and": [{"or": many({})[:500]}] * 500}),
        operation("values without number", LIST, filter={"name": {"in": many("a")}}),
        operation("unknown conditions without number", LIST, filter=unknown),
        operation("steps without number", LIST, filter={"metadata": step}),
        operation("inputs without number", BATCH, inputs=many({})),
        operation("unknown fields of an input", BATCH, inputs=[unknown]),
        operation("orders without number", ORDERED, order=many({"field": "NAME"})),
    ]


def checklist() -> list[tuple[str | None, Case]]:
    """All of them, each with the code by which it is refused."""
    documents = {
        INPUT: refused_by_the_parser() | refused_by_validation(),
        COST: refused_by_their_size(),
    }
    written = [
        (code, operation(label, document))
        for code, labelled in documents.items()
        for label, document in labelled.items()
    ]
    return [
        *written,
        *((INPUT, case) for case in (*refused_by_resolvers(), *refused_by_http())),
        *((COST, case) for case in large_variables(1_000_000)),
        *((None, case) for case in harmless()),
    ]
