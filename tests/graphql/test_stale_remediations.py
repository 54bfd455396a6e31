"""staleRemediations: what never reached an end, oldest first, as a list like all others."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.engine import URL

from support.api import Api, opened_api
from support.client import GraphQLClient
from support.records import remediation_input

ROWS: dict[str, dict[str, Any]] = {
    "pending-3": {"phase": "PENDING", "startTime": "2026-01-03T00:00:00Z"},
    "processing-1": {"phase": "PROCESSING", "startTime": "2026-01-01T00:00:00Z"},
    "completed": {"phase": "COMPLETED", "startTime": "2026-01-01T00:00:00Z"},
    "failed": {"phase": "FAILED", "startTime": "2026-01-01T00:00:00Z"},
    "pending-2": {"phase": "PENDING", "startTime": "2026-01-02T00:00:00Z", "namespace": "search"},
    "pending-2-too": {"phase": "PENDING", "startTime": "2026-01-02T00:00:00Z"},
    "at-the-limit": {"phase": "PENDING", "startTime": "2026-01-04T00:00:00Z"},
}
STALE = """
query Stale($olderThan: DateTime!, $filter: RemediationAuditFilter, $first: Int, $after: String, $last: Int,
            $before: String) {
  staleRemediations(olderThan: $olderThan, filter: $filter, first: $first, after: $after, last: $last,
                    before: $before) {
    nodes { remediationRequestId } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
LIMIT = "2026-01-04T00:00:00Z"
OLDEST_FIRST = ["processing-1", "pending-2", "pending-2-too", "pending-3"]


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


async def stale(client: GraphQLClient, **variables: Any) -> dict[str, Any]:
    return (await client.ask(STALE, **{"olderThan": LIMIT, **variables})).data["staleRemediations"]


def keys(page: dict[str, Any]) -> list[str]:
    return [node["remediationRequestId"] for node in page["nodes"]]


async def test_work_without_an_end_comes_oldest_first(client: GraphQLClient) -> None:
    page = await stale(client)

    assert keys(page) == OLDEST_FIRST
    assert page["totalCount"] == 4
    assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (False, False)


async def test_what_started_later_is_not_stale_yet(client: GraphQLClient) -> None:
    assert keys(await stale(client, olderThan="2026-01-04T00:00:00.000001Z")) == [
        *OLDEST_FIRST,
        "at-the-limit",
    ]
    assert keys(await stale(client, olderThan="2026-01-01T00:00:00Z")) == []


async def test_a_filter_narrows_the_list(client: GraphQLClient) -> None:
    assert keys(await stale(client, filter={"namespace": {"eq": "search"}})) == ["pending-2"]
    assert keys(await stale(client, filter={"phase": {"eq": "COMPLETED"}})) == []


async def test_pages_go_forward_and_backward(client: GraphQLClient) -> None:
    first = await stale(client, first=2)
    second = await stale(client, first=2, after=first["pageInfo"]["endCursor"])
    back = await stale(client, last=2, before=second["pageInfo"]["startCursor"])

    assert (keys(first), keys(second), keys(back)) == (OLDEST_FIRST[:2], OLDEST_FIRST[2:], OLDEST_FIRST[:2])
    assert first["pageInfo"]["hasNextPage"] is True
    assert second["pageInfo"]["hasNextPage"] is False


async def test_a_cursor_belongs_to_its_time(client: GraphQLClient) -> None:
    cursor = (await stale(client, first=1))["pageInfo"]["endCursor"]

    answer = await client.ask(STALE, olderThan="2026-01-05T00:00:00Z", after=cursor)

    assert answer.error["extensions"]["code"] == "BAD_CURSOR"


async def test_a_page_is_one_statement_and_counts_as_a_filtered_list(
    client: GraphQLClient, statements: Any
) -> None:
    def filtered() -> float:
        labels = {"operation": "filter", "status": "success"}
        return REGISTRY.get_sample_value("datastorage_query_total", labels) or 0

    before = filtered()
    with statements.counted() as seen:
        await client.ask(f'{{ staleRemediations(olderThan: "{LIMIT}") {{ nodes {{ name }} }} }}')

    assert filtered() == before + 1
    assert len(seen) == 1
