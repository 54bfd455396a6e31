"""Cursors of remediationAudits: each belongs to its list, and whatever else is passed for one is refused."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.engine import URL

from datastorage.domain.cursor import Cursors
from datastorage.domain.filters import EVERYTHING
from datastorage.domain.paging import NEWEST_FIRST, OrderTerm, total_order
from datastorage.domain.remediation import REMEDIATION
from support.api import opened_api
from support.client import GraphQLClient
from support.lists import keys, listed, refused
from support.records import remediation_input

OURS = {"namespace": {"eq": "payments"}}


@pytest.fixture(scope="module")
async def client(server_url: URL, template: str) -> AsyncIterator[GraphQLClient]:
    async with opened_api(server_url, template) as opened:
        for key in ("first", "second", "third"):
            await opened.client.create(**remediation_input(remediationRequestId=key))
        yield opened.client


@pytest.mark.parametrize("order", [None, [], [{"field": "START_TIME", "direction": "DESC"}]])
async def test_a_cursor_of_the_default_order_fits_its_other_spellings(
    client: GraphQLClient, order: object
) -> None:
    cursor = (await listed(client, filter=OURS, first=2))["pageInfo"]["endCursor"]

    assert keys(await listed(client, filter=OURS, first=1, after=cursor, orderBy=order)) == ["first"]


@pytest.mark.parametrize(
    "other",
    [
        {"filter": None},
        {"filter": {"namespace": {"eq": "search"}}},
        {"filter": {"namespace": {"ne": "payments"}}},
        {"filter": {"not": OURS}},
        {"filter": {**OURS, "name": {"eq": "a"}}},
        {"orderBy": [{"field": "NAME"}]},
        {"orderBy": [{"field": "START_TIME"}]},
    ],
)
async def test_a_cursor_of_another_list_is_refused(client: GraphQLClient, other: dict) -> None:
    cursor = (await listed(client, filter=OURS, first=1))["pageInfo"]["endCursor"]

    code, message = await refused(client, **{"filter": OURS, "after": cursor, **other})

    assert (code, message) == (
        "BAD_CURSOR",
        "the cursor belongs to another filter or order, or was altered; start again without it",
    )


@pytest.mark.parametrize(
    "other",
    [
        "workflowAudits(after: $after) { nodes { id } }",
        "executionAudits(after: $after) { nodes { id } }",
        'remediationAudit(requestId: "first") { workflows(after: $after) { nodes { id } } }',
        'remediationAudit(requestId: "first") { executions(after: $after) { nodes { id } } }',
    ],
)
async def test_a_cursor_of_another_kind_of_record_is_refused(client: GraphQLClient, other: str) -> None:
    cursor = (await listed(client, first=1))["pageInfo"]["endCursor"]

    answer = await client.ask(f"query Other($after: String) {{ {other} }}", after=cursor)

    assert answer.error["extensions"]["code"] == "BAD_CURSOR"


async def test_a_broken_cursor_is_refused(client: GraphQLClient) -> None:
    cursor = (await listed(client, first=1))["pageInfo"]["endCursor"]
    broken = ["", " ", "x", "ü", "a\x00b", "=" * 8, "x" * 5000, cursor + "=", f" {cursor}", cursor.swapcase()]
    truncated = [cursor[:length] for length in range(len(cursor))]

    codes = {(await refused(client, after=text))[0] for text in broken + truncated}

    assert codes == {"BAD_CURSOR"}


async def test_a_cursor_with_one_character_changed_is_refused(client: GraphQLClient) -> None:
    cursor = (await listed(client, first=1))["pageInfo"]["endCursor"]
    flipped = [
        cursor[:place] + chr(ord(cursor[place]) ^ 1) + cursor[place + 1 :] for place in range(len(cursor))
    ]

    codes = {(await refused(client, after=text))[0] for text in flipped}

    assert codes == {"BAD_CURSOR"}


TIME, NUMBER = "2026-01-01T12:00:00+00:00", 1


@pytest.mark.parametrize(
    "values",
    [
        (None, NUMBER),
        ("yesterday", NUMBER),
        (5, NUMBER),
        ("2026-01-01T12:00:00", NUMBER),  # no time zone
        ("0001-01-01T00:00:00+14:00", NUMBER),  # before the first moment, in UTC
        ("9999-12-31T23:59:59-14:00", NUMBER),
        (TIME, None),
        (TIME, "1"),
        (TIME, 1.5),
        (TIME, True),
        (TIME, 2**63),
        (TIME, [1]),
        (TIME,),
        (TIME, NUMBER, NUMBER),
        (),
    ],
)
async def test_a_forged_cursor_with_wrong_values_is_refused(client: GraphQLClient, values: tuple) -> None:
    forged = Cursors(EVERYTHING, NEWEST_FIRST, REMEDIATION.type_name).encode(values)

    code, _ = await refused(client, after=forged)

    assert code == "BAD_CURSOR"


@pytest.mark.parametrize("name", ["a\x00b", 1, None])
async def test_a_forged_cursor_with_a_name_that_cannot_be_is_refused(
    client: GraphQLClient, name: object
) -> None:
    cursors = Cursors(EVERYTHING, total_order([OrderTerm("name")]), REMEDIATION.type_name)

    code, _ = await refused(client, orderBy=[{"field": "NAME"}], after=cursors.encode((name, NUMBER)))

    assert code == "BAD_CURSOR"
