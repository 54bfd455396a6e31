"""Asking for lists of remediation audits."""

from typing import Any

from support.client import Answer, GraphQLClient

PAGES_MAX = 50
LIST = """
query List($filter: RemediationAuditFilter, $orderBy: [RemediationAuditOrder!],
           $first: Int, $after: String, $last: Int, $before: String) {
  remediationAudits(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { remediationRequestId } }
    nodes { remediationRequestId }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


async def listed(client: GraphQLClient, **variables: Any) -> dict[str, Any]:
    """A page that must not be refused."""
    return (await client.ask(LIST, **variables)).data["remediationAudits"]


async def refused(client: GraphQLClient, **variables: Any) -> tuple[str, str]:
    """Code and message of a list that must be refused, and not by a fault of ours."""
    answer: Answer = await client.ask(LIST, **variables)
    assert answer.body.get("data") is None
    return answer.error["extensions"]["code"], answer.error["message"]


def keys(page: dict[str, Any]) -> list[str]:
    """The request ids of a page."""
    return [node["remediationRequestId"] for node in page["nodes"]]


async def walked(client: GraphQLClient, rows: int, *, backward: bool = False, **variables: Any) -> list[str]:
    """The request ids of a whole list in its order, page by page."""
    seen: list[str] = []
    cursor = None
    for _ in range(PAGES_MAX):
        place = {"last": rows, "before": cursor} if backward else {"first": rows, "after": cursor}
        page = await listed(client, **variables, **place)
        seen = keys(page) + seen if backward else seen + keys(page)
        info = page["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen
        cursor = info["startCursor" if backward else "endCursor"]
    raise AssertionError(f"no end after {PAGES_MAX} pages")
