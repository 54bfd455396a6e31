"""remediationAudits: pages in a stated order, cursors that belong to their list, and counts only when asked."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.filters import Condition, Operator
from datastorage.domain.paging import NEWEST_FIRST, page_request
from datastorage.domain.remediation import REMEDIATION
from datastorage.services import records
from support.api import Api, opened_api
from support.client import GraphQLClient
from support.lists import keys, listed, refused, walked
from support.records import remediation_input

# Oldest first; "tie-1" and "tie-2" start at the same moment, so that only their ids tell them apart.
ROWS = {
    "oldest": {"severity": "LOW", "name": "c", "startTime": "2026-01-01T12:00:00Z"},
    "tie-1": {"severity": "LOW", "name": "b", "startTime": "2026-01-01T12:01:00Z"},
    "tie-2": {"severity": "HIGH", "name": "b", "startTime": "2026-01-01T12:01:00Z"},
    "late": {
        "severity": "HIGH",
        "name": "a",
        "startTime": "2026-01-01T12:02:00Z",
        "endTime": "2026-01-01T12:02:05Z",
    },
    "newest": {
        "severity": "INFO",
        "name": "a",
        "startTime": "2026-01-01T12:03:00.000001Z",
        "endTime": "2026-01-01T12:03:04Z",
    },
}
NEWEST = ["newest", "late", "tie-2", "tie-1", "oldest"]
# Other tests of this module write too, in namespaces of their own.
OURS = {"namespace": {"eq": "payments"}}


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        for key, fields in ROWS.items():
            await opened.client.create(**remediation_input(remediationRequestId=key, **fields))
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


async def test_the_newest_come_first_and_ties_are_broken_by_id(client: GraphQLClient) -> None:
    page = await listed(client, filter=OURS)

    assert keys(page) == NEWEST
    assert page["pageInfo"]["hasNextPage"] is False
    assert page["pageInfo"]["hasPreviousPage"] is False


async def test_edges_nodes_and_page_info_tell_the_same(client: GraphQLClient) -> None:
    page = await listed(client, filter=OURS, first=2)

    assert [edge["node"] for edge in page["edges"]] == page["nodes"]
    assert keys(page) == ["newest", "late"]
    first, second = (edge["cursor"] for edge in page["edges"])
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first,
        "endCursor": second,
    }


async def test_after_goes_on_where_the_page_ended(client: GraphQLClient) -> None:
    cursors = [edge["cursor"] for edge in (await listed(client, filter=OURS))["edges"]]

    page = await listed(client, filter=OURS, first=2, after=cursors[1])

    assert keys(page) == ["tie-2", "tie-1"]
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": True,
        "startCursor": cursors[2],
        "endCursor": cursors[3],
    }


async def test_last_takes_from_the_end_and_before_goes_backward(client: GraphQLClient) -> None:
    end = await listed(client, filter=OURS, last=2)
    before = await listed(client, filter=OURS, last=2, before=end["pageInfo"]["startCursor"])
    start = await listed(client, filter=OURS, last=2, before=before["pageInfo"]["startCursor"])

    assert [keys(page) for page in (end, before, start)] == [
        ["tie-1", "oldest"],
        ["late", "tie-2"],
        ["newest"],
    ]
    info = [
        (page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"])
        for page in (end, before, start)
    ]
    assert info == [(True, False), (True, True), (False, True)]


async def test_before_alone_and_after_alone_take_the_default_number_of_rows(client: GraphQLClient) -> None:
    cursors = [edge["cursor"] for edge in (await listed(client, filter=OURS))["edges"]]

    assert keys(await listed(client, filter=OURS, before=cursors[2])) == ["newest", "late"]
    assert keys(await listed(client, filter=OURS, after=cursors[2])) == ["tie-1", "oldest"]


async def test_nothing_beyond_the_end_is_an_empty_page_without_cursors(client: GraphQLClient) -> None:
    end = (await listed(client, filter=OURS))["pageInfo"]["endCursor"]

    page = await listed(client, filter=OURS, after=end)

    assert (page["edges"], page["nodes"]) == ([], [])
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": None,
        "endCursor": None,
    }


async def test_a_page_that_ends_with_the_list_has_no_next_page(client: GraphQLClient) -> None:
    page = await listed(client, filter=OURS, first=len(NEWEST))

    assert (keys(page), page["pageInfo"]["hasNextPage"]) == (NEWEST, False)


async def test_twenty_rows_are_the_default_and_a_hundred_the_most(client: GraphQLClient, api: Api) -> None:
    await api.sql.execute("""
        INSERT INTO remediation_audit
          (remediation_request_id, name, namespace, phase, status, action_type, start_time, alert_fingerprint, severity,
           environment, cluster_name, target_resource, target_kind, target_name, content_hash)
        SELECT 'many-' || n, 'many', 'many', 'pending', 'pending', 'scale', '2026-01-01', 'fp', 'low', 'test', 'c', 'Pod/x',
               'Pod', 'x', sha256('x') FROM generate_series(1, 101) n""")
    many = {"namespace": {"eq": "many"}}

    assert len(keys(await listed(client, filter=many))) == 20
    assert len(keys(await listed(client, filter=many, first=100))) == 100
    assert len(keys(await listed(client, filter=many, last=100))) == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first": 0}, "first: must be between 1 and 100, got 0"),
        ({"first": -1}, "first: must be between 1 and 100, got -1"),
        ({"first": 101}, "first: must be between 1 and 100, got 101"),
        ({"first": 1000}, "first: must be between 1 and 100, got 1000"),
        ({"last": 0}, "last: must be between 1 and 100, got 0"),
        ({"last": 101}, "last: must be between 1 and 100, got 101"),
        ({"first": 1, "last": 1}, "first: and last cannot be given together"),
        ({"after": "x", "before": "x"}, "after: and before cannot be given together"),
        ({"first": 1, "before": "x"}, "first: goes with after, not with before"),
        ({"last": 1, "after": "x"}, "last: goes with before, not with after"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(client: GraphQLClient, arguments: dict, message: str) -> None:
    assert await refused(client, **arguments) == ("BAD_USER_INPUT", message)


async def test_a_number_of_rows_beyond_32_bits_is_refused(client: GraphQLClient) -> None:
    code, message = await refused(client, first=2**31)

    assert code == "BAD_USER_INPUT"
    assert message.endswith("Int cannot represent non 32-bit signed integer value")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([("NAME", "ASC")], ["late", "newest", "tie-1", "tie-2", "oldest"]),
        ([("NAME", "DESC")], ["oldest", "tie-2", "tie-1", "newest", "late"]),
        ([("NAME", "ASC"), ("START_TIME", "DESC")], ["newest", "late", "tie-2", "tie-1", "oldest"]),
        ([("SEVERITY", "DESC"), ("NAME", "ASC"), ("ID", "DESC")], ["late", "tie-2", "tie-1", "oldest", "newest"]),
        ([("ID", "ASC")], list(ROWS)),
        ([("ID", "DESC"), ("NAME", "ASC")], list(reversed(ROWS))),
        ([("END_TIME", "ASC", "LAST")], ["late", "newest", "oldest", "tie-1", "tie-2"]),
        ([("END_TIME", "ASC", "FIRST")], ["oldest", "tie-1", "tie-2", "late", "newest"]),
        ([("END_TIME", "DESC", "LAST")], ["newest", "late", "tie-2", "tie-1", "oldest"]),
        ([("END_TIME", "DESC", "FIRST")], ["tie-2", "tie-1", "oldest", "newest", "late"]),
        ([("DURATION_MS", "ASC", "FIRST"), ("NAME", "DESC")], ["oldest", "tie-2", "tie-1", "newest", "late"]),
        ([("DURATION_MS", "DESC", "LAST"), ("NAME", "ASC")], ["late", "newest", "tie-1", "tie-2", "oldest"]),
    ],
)  # fmt: skip
async def test_every_order_pages_forward_and_backward_through_each_row_once(
    client: GraphQLClient, order: list[tuple[str, ...]], expected: list[str]
) -> None:
    order_by = [dict(zip(("field", "direction", "nulls"), term, strict=False)) for term in order]

    for rows in (1, 2, 3, 100):
        assert await walked(client, rows, filter=OURS, orderBy=order_by) == expected
        assert await walked(client, rows, filter=OURS, orderBy=order_by, backward=True) == expected


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([{"field": "NAME"}, {"field": "NAME", "direction": "DESC"}], "orderBy: names a column twice"),
        (
            [
                {"field": field}
                for field in ("NAME", "PHASE", "STATUS", "SEVERITY", "NAMESPACE", "START_TIME")
            ],
            "orderBy: has more than 5 columns",
        ),
    ],
)
async def test_an_order_without_sense_is_refused(client: GraphQLClient, order: list, message: str) -> None:
    assert await refused(client, orderBy=order) == ("BAD_USER_INPUT", message)


async def test_pages_are_stable_while_rows_are_inserted(client: GraphQLClient) -> None:
    mine = {"namespace": {"eq": "growing"}}

    async def insert(key: str, second: int) -> None:
        stored = remediation_input(
            remediationRequestId=key, namespace="growing", startTime=f"2026-02-01T00:00:{second:02}Z"
        )
        await client.create(**stored)

    for second in range(10, 50, 10):
        await insert(f"at-{second}", second)

    seen: list[str] = []
    cursor = None
    for second in (55, 35, 15):  # in front of the first page, on it, and on the last one
        page = await listed(client, filter=mine, first=2, after=cursor)
        seen += keys(page)
        cursor = page["pageInfo"]["endCursor"]
        await insert(f"new-{second}", second)
    assert seen == ["at-40", "at-30", "at-20", "at-10"]


async def test_a_list_is_one_statement_and_counts_nothing(client: GraphQLClient, statements: Any) -> None:
    cursor = (await listed(client, filter=OURS, first=1))["pageInfo"]["endCursor"]

    with statements.counted() as seen:
        await listed(client, filter=OURS, first=2, after=cursor)

    assert len(seen) == 1, seen
    assert "count(" not in seen[0].lower()


COUNT = """
query Count($filter: RemediationAuditFilter, $cap: Int, $first: Int) {
  remediationAudits(filter: $filter, first: $first) { totalCount(cap: $cap) }
}
"""


@pytest.mark.parametrize(("cap", "expected"), [(None, 5), (1, 1), (4, 4), (5, 5), (6, 5), (2**31 - 1, 5)])
async def test_total_count_counts_the_whole_list_up_to_a_cap(
    client: GraphQLClient,
    cap: int | None,
    expected: int,
    statements: Any,
) -> None:
    with statements.counted() as seen:
        answer = await client.ask(COUNT, filter=OURS, cap=cap, first=1)

    assert answer.data == {"remediationAudits": {"totalCount": expected}}
    assert len(seen) == 2, seen


async def test_a_cap_below_one_is_refused(client: GraphQLClient) -> None:
    for cap in (0, -1):
        error = (await client.ask(COUNT, cap=cap)).error
        assert (error["extensions"]["code"], error["message"]) == (
            "BAD_USER_INPUT",
            "cap: must be at least 1",
        )


async def test_lists_and_counts_hold_only_what_the_caller_may_see(api: Api) -> None:
    request = page_request(where=Condition("namespace", Operator.EQ, "payments"), order=NEWEST_FIRST)
    insider = Caller("insider", frozenset({Right.READ}), Scope(clusters=frozenset({"prod-eu-1"})))
    outsider = Caller("outsider", frozenset({Right.READ}), Scope(namespaces=frozenset({"search"})))

    seen = await records.list_records(api.deps, insider, REMEDIATION, request)
    unseen = await records.list_records(api.deps, outsider, REMEDIATION, request)

    assert ([audit.remediation_request_id for audit in seen.nodes], await seen.count(None)) == (NEWEST, 5)
    assert (unseen.nodes, await unseen.count(None)) == ([], 0)


BOTH = """
query Both($filter: RemediationAuditFilter) {
  one: remediationAudits(filter: $filter, first: 1) { totalCount nodes { name } }
  other: remediationAudits(filter: $filter, last: 1) { totalCount(cap: 2) nodes { name } }
}
"""


async def test_two_lists_in_one_request_do_not_mix(client: GraphQLClient) -> None:
    answer = await client.ask(BOTH, filter=OURS)

    assert answer.data == {
        "one": {"totalCount": 5, "nodes": [{"name": "a"}]},
        "other": {"totalCount": 2, "nodes": [{"name": "c"}]},
    }
