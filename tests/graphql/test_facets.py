"""facets: values with counts, the most frequent first, what lies beyond them, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.filters import EVERYTHING
from datastorage.domain.statistics import Facet, FacetValue, RemediationGroupField
from datastorage.errors import Forbidden
from datastorage.services import statistics
from support.api import Api, opened_api
from support.client import GraphQLClient
from support.records import remediation_input

ROWS: list[dict[str, Any]] = [
    {"namespace": "payments", "severity": "HIGH", "name": "a"},
    {"namespace": "payments", "severity": "HIGH", "name": "b"},
    {"namespace": "payments", "severity": "LOW", "name": "c", "targetResource": "shop/Pod/x"},
    {"namespace": "search", "severity": "LOW", "name": "d"},
    {"namespace": "billing", "severity": "INFO", "name": "e", "phase": "FAILED"},
]
FACETS = """
query Facets($fields: [RemediationGroupField!]!, $filter: RemediationAuditFilter, $first: Int) {
  facets(fields: $fields, filter: $filter, first: $first) {
    field values { value count } distinctCount otherCount
  }
}
"""


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        for number, fields in enumerate(ROWS):
            created = await opened.client.create(
                **remediation_input(remediationRequestId=f"rr-{number}", **fields)
            )
            assert created["__typename"] == "CreateRemediationAuditPayload"
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


async def facets(client: GraphQLClient, *fields: str, **variables: Any) -> list[tuple[Any, ...]]:
    """Of each facet its field, its values with their counts, how many values there are, and the rest."""
    answer = await client.ask(FACETS, fields=fields, **variables)
    return [
        (
            facet["field"],
            [(value["value"], value["count"]) for value in facet["values"]],
            facet["distinctCount"],
            facet["otherCount"],
        )
        for facet in answer.data["facets"]
    ]


async def refused(client: GraphQLClient, *fields: str, **variables: Any) -> tuple[str, str]:
    """Field and message of the only fault."""
    error = (await client.ask(FACETS, fields=fields, **variables)).error
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    (fault,) = error["extensions"]["faults"]
    return fault["field"], fault["message"]


async def test_values_come_most_frequent_first_in_the_order_of_the_fields(
    client: GraphQLClient, statements: Any
) -> None:
    with statements.counted() as seen:
        found = await facets(client, "SEVERITY", "NAMESPACE", "TARGET_NAMESPACE", "PHASE")

    assert found == [
        ("SEVERITY", [("HIGH", 2), ("LOW", 2), ("INFO", 1)], 3, 0),
        ("NAMESPACE", [("payments", 3), ("billing", 1), ("search", 1)], 3, 0),
        ("TARGET_NAMESPACE", [(None, 4), ("shop", 1)], 2, 0),
        ("PHASE", [("PENDING", 4), ("FAILED", 1)], 2, 0),
    ]
    assert len(seen) == 1


async def test_values_beyond_the_first_are_counted_together(client: GraphQLClient) -> None:
    assert await facets(client, "NAME", "NAMESPACE", first=2) == [
        ("NAME", [("a", 1), ("b", 1)], 5, 3),
        ("NAMESPACE", [("payments", 3), ("billing", 1)], 3, 1),
    ]


async def test_a_filter_narrows_what_is_counted(client: GraphQLClient) -> None:
    where = {"namespace": {"eq": "payments"}}

    assert await facets(client, "NAMESPACE", "SEVERITY", filter=where) == [
        ("NAMESPACE", [("payments", 3)], 1, 0),
        ("SEVERITY", [("HIGH", 2), ("LOW", 1)], 2, 0),
    ]


async def test_nothing_has_no_values(client: GraphQLClient) -> None:
    nowhere = {"namespace": {"eq": "nowhere"}}

    assert await facets(client, "PHASE", "NAME", filter=nowhere) == [("PHASE", [], 0, 0), ("NAME", [], 0, 0)]


async def test_no_fields_make_no_facets(client: GraphQLClient, statements: Any) -> None:
    with statements.counted() as seen:
        assert await facets(client) == []
    assert seen == []


async def test_all_fields_at_once(client: GraphQLClient) -> None:
    fields = [field.name for field in RemediationGroupField]

    found = await facets(client, *fields)

    assert [field for field, *_ in found] == fields
    assert all(sum(count for _, count in values) == 5 for _, values, _, _ in found)


async def test_twenty_values_are_the_default(api: Api) -> None:
    names = {"name": {"startsWith": "many-"}}
    for number in range(21):
        fields = {"remediationRequestId": f"many-{number}", "name": f"many-{number:02}"}
        await api.client.create(**remediation_input(**fields))
    try:
        ((_, values, distinct, other),) = await facets(api.client, "NAME", filter=names)
        assert (len(values), values[0], distinct, other) == (20, ("many-00", 1), 21, 1)
        assert await facets(api.client, "NAME", filter=names, first=None) == [("NAME", values, 21, 1)]
    finally:
        await api.sql.execute("DELETE FROM remediation_audit WHERE name LIKE 'many-%'")


@pytest.mark.parametrize("first", [0, 101, -1])
async def test_first_has_bounds(client: GraphQLClient, first: int) -> None:
    assert await refused(client, "NAME", first=first) == ("first", f"must be between 1 and 100, got {first}")


async def test_a_field_named_twice_is_refused(client: GraphQLClient) -> None:
    assert await refused(client, "NAME", "PHASE", "NAME") == ("fields", "names a field twice")


async def test_only_rows_within_the_scope_are_counted(api: Api) -> None:
    alice = Caller("alice", frozenset({Right.READ}), Scope(namespaces=frozenset({"search"})))
    field = RemediationGroupField.NAMESPACE

    found = await statistics.facets(api.deps, alice, [field], EVERYTHING, 20)

    assert found == [Facet(field, [FacetValue("search", 1)], 1, 0)]


async def test_who_may_not_read_sees_no_values(api: Api) -> None:
    writer = Caller("writer", frozenset({Right.WRITE}))

    with pytest.raises(Forbidden):
        await statistics.facets(api.deps, writer, [RemediationGroupField.NAME], EVERYTHING, 20)
