"""remediationAudits(filter:): what each field and comparison keeps, how they combine, and what is too much."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from support.api import Api, opened_api
from support.client import GraphQLClient
from support.lists import keys, listed, refused
from support.records import remediation_input

ROWS: dict[str, dict[str, Any]] = {
    "alpha": {
        "name": "payment-api",
        "namespace": "payments",
        "phase": "PENDING",
        "actionType": "restart_pod",
        "startTime": "2026-01-01T12:00:00Z",
        "alertFingerprint": "FP-A",
        "severity": "CRITICAL",
        "environment": "production",
        "clusterName": "prod-eu-1",
        "targetResource": "Deployment/payment-api",
    },
    "beta": {
        "name": "payment-db",
        "namespace": "payments",
        "phase": "COMPLETED",
        "actionType": "scale_up",
        "startTime": "2026-01-01T12:01:00Z",
        "endTime": "2026-01-01T12:01:10Z",
        "alertFingerprint": "fp-b",
        "severity": "LOW",
        "environment": "staging",
        "clusterName": "prod-us-1",
        "targetResource": "shop/StatefulSet/payment-db",
        "errorMessage": "Disk 100% full at C:\\data",
        "resolution": "cleaned up",
    },
    "gamma": {
        "name": "indexer",
        "namespace": "search",
        "phase": "FAILED",
        "status": "RUNNING",
        "actionType": "restart_pod",
        "startTime": "2026-01-01T12:02:00Z",
        "endTime": "2026-01-01T12:02:00.500Z",
        "alertFingerprint": "fp-c",
        "severity": "HIGH",
        "environment": "production",
        "clusterName": "prod-eu-1",
        "targetResource": "shop/Pod/indexer-1",
        "errorMessage": "disk 100 percent full /data",
    },
    "delta": {
        "name": "indexer-2",
        "namespace": "search.team",
        "phase": "PROCESSING",
        "actionType": "drain:node",
        "startTime": "2026-01-01T12:03:00Z",
        "alertFingerprint": "fp-d",
        "severity": "INFO",
        "environment": "development",
        "clusterName": "dev",
        "targetResource": "Node/n1",
        "errorMessage": "file_name missing: ÄRGER",
        "resolution": "Cleaned by hand",
    },
}
T = "2026-01-01T12:0{}:00Z".format  # the start of row 0, 1, 2 or 3


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        for key, fields in ROWS.items():
            created = await opened.client.create(**remediation_input(remediationRequestId=key, **fields))
            assert created["__typename"] == "CreateRemediationAuditPayload"
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


async def kept(client: GraphQLClient, where: dict[str, Any]) -> str:
    """The first letters of the rows that a filter keeps, oldest first."""
    return "".join(key[0] for key in reversed(keys(await listed(client, filter=where))))


ONE_FIELD = [
    ("remediationRequestId", "eq", "beta", "b"),
    ("remediationRequestId", "eq", "BETA", ""),
    ("remediationRequestId", "in", ["beta", "delta", "none"], "bd"),
    ("remediationRequestId", "startsWith", "be", "b"),
    ("name", "eq", "indexer", "g"),
    ("name", "ne", "indexer", "abd"),
    ("name", "in", ["indexer", "payment-db"], "bg"),
    ("name", "in", [], ""),
    ("name", "notIn", ["indexer", "payment-db"], "ad"),
    ("name", "notIn", [], "abgd"),
    ("name", "gt", "indexer", "abd"),
    ("name", "gte", "indexer", "abgd"),
    ("name", "lt", "indexer-2", "g"),
    ("name", "lte", "indexer-2", "gd"),
    ("name", "contains", "MENT", "ab"),
    ("name", "contains", "", "abgd"),
    ("name", "startsWith", "Index", "gd"),
    ("name", "startsWith", "ndex", ""),
    ("namespace", "eq", "search", "g"),
    ("namespace", "startsWith", "search", "gd"),
    ("phase", "eq", "PENDING", "a"),
    ("phase", "ne", "PENDING", "bgd"),
    ("phase", "in", ["PENDING", "FAILED"], "ag"),
    ("phase", "notIn", ["PENDING", "FAILED"], "bd"),
    ("status", "eq", "RUNNING", "gd"),
    ("status", "ne", "RUNNING", "ab"),
    ("status", "in", ["SUCCESS", "FAILURE"], "b"),
    ("status", "notIn", ["SUCCESS"], "agd"),
    ("severity", "eq", "HIGH", "g"),
    ("severity", "in", ["LOW", "INFO"], "bd"),
    ("severity", "notIn", ["LOW", "INFO"], "ag"),
    ("actionType", "eq", "restart_pod", "ag"),
    ("actionType", "contains", "_", "abg"),
    ("startTime", "eq", T(1), "b"),
    ("startTime", "eq", "2026-01-01T13:01:00+01:00", "b"),
    ("startTime", "ne", T(1), "agd"),
    ("startTime", "gt", T(1), "gd"),
    ("startTime", "gte", T(1), "bgd"),
    ("startTime", "lt", T(1), "a"),
    ("startTime", "lte", T(1), "ab"),
    ("startTime", "lte", "0001-01-01T00:00:00Z", ""),
    ("startTime", "lte", "9999-12-31T23:59:59.999999Z", "abgd"),
    ("startTime", "isNull", False, "abgd"),
    ("endTime", "isNull", True, "ad"),
    ("endTime", "isNull", False, "bg"),
    ("endTime", "eq", "2026-01-01T12:01:10Z", "b"),
    ("endTime", "ne", "2026-01-01T12:01:10Z", "agd"),
    ("endTime", "gt", T(2), "g"),
    ("durationMs", "eq", 10_000, "b"),
    ("durationMs", "eq", "10000", "b"),
    ("durationMs", "ne", 10_000, "agd"),
    ("durationMs", "in", [500, "10000"], "bg"),
    ("durationMs", "notIn", [500], "abd"),
    ("durationMs", "gt", 500, "b"),
    ("durationMs", "gte", 500, "bg"),
    ("durationMs", "lt", 10_000, "g"),
    ("durationMs", "lte", 2**63 - 1, "bg"),
    ("durationMs", "isNull", True, "ad"),
    ("alertFingerprint", "eq", "FP-A", "a"),
    ("alertFingerprint", "startsWith", "fp", "abgd"),
    ("environment", "ne", "production", "bd"),
    ("clusterName", "startsWith", "prod", "abg"),
    ("targetResource", "contains", "shop/", "bg"),
    ("targetKind", "in", ["Pod", "Node"], "gd"),
    ("targetNamespace", "eq", "shop", "bg"),
    ("targetNamespace", "ne", "shop", "ad"),
    ("targetNamespace", "notIn", ["shop"], "ad"),
    ("targetNamespace", "isNull", True, "ad"),
    ("targetName", "startsWith", "payment", "ab"),
    ("errorMessage", "eq", "disk 100 percent full /data", "g"),
    ("errorMessage", "ne", "disk 100 percent full /data", "abd"),
    ("errorMessage", "in", ["disk 100 percent full /data"], "g"),
    ("errorMessage", "notIn", ["disk 100 percent full /data"], "abd"),
    ("errorMessage", "startsWith", "DISK", "bg"),
    ("errorMessage", "contains", "ärger", "d"),
    ("errorMessage", "isNull", False, "bgd"),
    ("resolution", "contains", "cleaned", "bd"),
    ("createdAt", "gt", "2026-01-01T00:00:00Z", "abgd"),
    ("createdAt", "isNull", True, ""),
    ("updatedAt", "lt", "2026-01-01T00:00:00Z", ""),
]


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    ONE_FIELD,
    ids=[f"{field} {op} {value}" for field, op, value, _ in ONE_FIELD],
)
async def test_a_comparison_keeps_what_it_says(
    client: GraphQLClient, field: str, operator: str, value: object, expected: str
) -> None:
    assert await kept(client, {field: {operator: value}}) == expected


@pytest.mark.parametrize(
    ("operator", "text", "expected"),
    [
        ("contains", "100%", "b"),
        ("contains", "%", "b"),
        ("contains", "_", "d"),
        ("contains", "file_name", "d"),
        ("contains", "\\", "b"),
        ("contains", "C:\\data", "b"),
        ("contains", "\\%", ""),
        ("contains", "/", "g"),
        ("contains", "'; DROP TABLE remediation_audit; --", ""),
        ("startsWith", "disk 100%", "b"),
        ("startsWith", "%", ""),
        ("startsWith", "file_", "d"),
        ("startsWith", "d_sk", ""),
    ],
)
async def test_wildcards_of_sql_are_plain_characters(
    client: GraphQLClient, operator: str, text: str, expected: str
) -> None:
    assert await kept(client, {"errorMessage": {operator: text}}) == expected


PENDING, FAILED = {"phase": {"eq": "PENDING"}}, {"phase": {"eq": "FAILED"}}
SHOP = {"targetNamespace": {"eq": "shop"}}
LONG = {"durationMs": {"gt": 1000}}  # true for beta, false for gamma, no value in the others


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "abgd"),
        ({"and": []}, "abgd"),
        ({"or": []}, ""),
        ({"not": {}}, ""),
        ({"or": [{}]}, "abgd"),
        ({"not": {"or": []}}, "abgd"),
        ({"name": None, "and": None, "or": None, "not": None}, "abgd"),
        ({"namespace": {}}, "abgd"),
        ({"name": {"gt": "indexer", "lt": "payment-b"}}, "ad"),
        ({**SHOP, **FAILED}, "g"),
        ({"and": [SHOP, FAILED]}, "g"),
        ({"or": [PENDING, FAILED]}, "ag"),
        ({"or": [PENDING, FAILED], **SHOP}, "g"),
        ({"or": PENDING}, "a"),  # one value where a list is expected
        ({"not": PENDING}, "bgd"),
        ({"not": LONG}, "agd"),  # what has no value is not longer
        ({"not": {"not": LONG}}, "b"),
        ({"not": {"targetNamespace": {"ne": "shop"}}}, "bg"),
        ({"not": {"targetNamespace": {"notIn": ["shop"]}}}, "bg"),
        ({"not": {"endTime": {"isNull": True}}}, "bg"),
        ({"not": {"and": [SHOP, LONG]}}, "agd"),
        ({"not": {"or": [LONG, PENDING]}}, "gd"),
        ({"not": {"or": [{"not": LONG}, PENDING]}}, "b"),
        ({"and": [{"or": [PENDING, SHOP]}, {"or": [FAILED, LONG]}], "not": FAILED}, "b"),
    ],
)
async def test_conditions_combine(client: GraphQLClient, where: dict, expected: str) -> None:
    assert await kept(client, where) == expected


async def test_a_filter_works_as_a_literal_too(client: GraphQLClient) -> None:
    answer = await client.ask(
        '{ remediationAudits(filter: {phase: {in: [PENDING, FAILED]}, startTime: {gt: "2026-01-01T12:00:00Z"},'
        " durationMs: {lt: 1000}}) { nodes { name } } }"
    )

    assert answer.data == {"remediationAudits": {"nodes": [{"name": "indexer"}]}}


@pytest.mark.parametrize(
    ("comparison", "column"),
    [
        ({"name": {"eq": None}}, "name"),
        ({"phase": {"in": None}}, "phase"),
        ({"endTime": {"isNull": None}}, "endTime"),
        ({"not": {"durationMs": {"gt": None}}}, "durationMs"),
        ({"or": [{"targetNamespace": {"contains": None}}]}, "targetNamespace"),
    ],
)
async def test_comparing_with_null_is_refused(client: GraphQLClient, comparison: dict, column: str) -> None:
    assert await refused(client, filter=comparison) == (
        "BAD_USER_INPUT",
        f"filter: compares {column} with null; use isNull",
    )


@pytest.mark.parametrize(
    "comparison",
    [
        {"name": {"eq": "a\x00b"}},
        {"name": {"in": ["a", "\x00"]}},
        {"not": {"errorMessage": {"contains": "\x00"}}},
    ],
)
async def test_comparing_with_nul_is_refused(client: GraphQLClient, comparison: dict) -> None:
    assert await refused(client, filter=comparison) == (
        "BAD_USER_INPUT",
        "filter: compares with text that contains NUL, which no stored text does",
    )


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ({"phase": {"eq": "BOGUS"}}, "phase.eq"),
        ({"or": [{}, {"phase": {"in": ["PENDING", "BOGUS"]}}]}, "or.phase.in"),
        ({"durationMs": {"gt": "many"}}, "durationMs.gt"),
        ({"durationMs": {"in": [1, 2**63]}}, "durationMs.in"),
        ({"startTime": {"gt": "2026-01-01"}}, "startTime.gt"),
        ({"startTime": {"gt": "0001-01-01T00:00:00+14:00"}}, "startTime.gt"),
        ({"name": {"in": [None]}}, "name.in"),
        ({"not": {"nope": {"eq": 1}}}, "not.nope"),
    ],
)
async def test_a_value_that_does_not_fit_is_refused_with_its_field(
    client: GraphQLClient, where: dict, field: str
) -> None:
    answer = await client.ask(
        "query($f: RemediationAuditFilter) { remediationAudits(filter: $f) { nodes { id } } }", f=where
    )

    extensions = answer.error["extensions"]
    assert (extensions["code"], extensions["field"]) == ("BAD_USER_INPUT", field)


def nested(levels: int, leaf: dict[str, Any]) -> dict[str, Any]:
    return leaf if levels == 0 else {"not": nested(levels - 1, leaf)}


async def test_ten_levels_are_allowed_and_no_more(client: GraphQLClient) -> None:
    assert await kept(client, nested(8, PENDING)) == "a"
    assert await kept(client, nested(9, PENDING)) == "bgd"
    assert await refused(client, filter=nested(10, PENDING)) == (
        "BAD_USER_INPUT",
        "filter: is nested deeper than 10 levels",
    )


@pytest.mark.parametrize("levels", [100, 250, 450])
async def test_a_filter_of_any_depth_is_refused_and_nothing_breaks(
    client: GraphQLClient, levels: int
) -> None:
    code, _ = await refused(client, filter=nested(levels, PENDING))
    literal = "{not: " * levels + "{phase: {eq: PENDING}}" + "}" * levels
    answer = await client.ask(f"{{ remediationAudits(filter: {literal}) {{ nodes {{ id }} }} }}")

    assert (code, answer.error["extensions"]["code"]) == ("BAD_USER_INPUT", "BAD_USER_INPUT")


async def test_a_hundred_conditions_are_allowed_and_no_more(client: GraphQLClient) -> None:
    assert await kept(client, {"or": [PENDING] * 100}) == "a"
    assert await refused(client, filter={"or": [PENDING] * 101}) == (
        "BAD_USER_INPUT",
        "filter: has more than 100 conditions",
    )


async def test_five_hundred_values_are_allowed_and_no_more(client: GraphQLClient) -> None:
    values = ["indexer", *(f"other-{number}" for number in range(499))]

    assert await kept(client, {"name": {"in": values}}) == "g"
    for operator in ("in", "notIn"):
        assert await refused(client, filter={"name": {operator: [*values, "one-more"]}}) == (
            "BAD_USER_INPUT",
            "filter: lists more than 500 values in one `in`",
        )


async def test_the_largest_filter_is_answered(client: GraphQLClient) -> None:
    values = ["indexer", *(f"other-{number}" for number in range(499))]

    assert await kept(client, {"and": [{"name": {"in": values}}] * 100}) == "g"


@pytest.mark.parametrize("where", [{"name": {"in": ["a"]}}, {"name": {"in": ["a", "b", "c"]}}])
async def test_lists_of_any_length_make_one_statement(
    client: GraphQLClient, where: dict, statements: Any
) -> None:
    with statements.counted() as seen:
        await listed(client, filter=where)

    assert len(seen) == 1
    assert re.search(r"remediation_audit.name = ANY \(\$\d::TEXT\[\]\)", seen[0]), seen[0]
