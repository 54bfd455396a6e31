"""Operations that are too large are refused, each with the limit it exceeds."""

import pytest

from support.client import GraphQLClient


def nested(levels: int) -> str:
    text = "name"
    for _ in range(levels):
        text = f"analyses(first: 1) {{ nodes {{ remediation {{ {text} }} }} }}"
    return f'{{ remediationAudit(requestId: "a") {{ {text} }} }}'


@pytest.mark.parametrize(
    ("query", "limit", "message"),
    [
        (
            nested(5),
            "depth",
            "the depth of the operation is 17, 15 is allowed: ask for less at once",
        ),
        (
            "{" + " ".join(f"a{i}: __typename" for i in range(101)) + "}",
            "aliases",
            "the operation has 101 aliases, 100 are allowed: send several requests",
        ),
        (
            "{" + "__typename " * 2001 + "}",
            "fields",
            "the operation has 2,001 fields, 2,000 are allowed: ask for less at once",
        ),
        (
            (
                "{ remediationAudits(first: 100) { nodes { analyses(first: 100) { nodes { remediation "
                "{ executions(first: 2) { nodes { id } } } } } } } }"
            ),
            "cost",
            "the cost of the operation is 50,201, 20,000 is allowed: ask for smaller pages or fewer levels",
        ),
    ],
)
async def test_what_is_too_large_is_refused(
    client: GraphQLClient, query: str, limit: str, message: str
) -> None:
    answer = await client.ask(query)

    assert answer.error["message"] == message
    assert (answer.error["extensions"]["code"], answer.error["extensions"]["limit"]) == (
        "COST_EXCEEDED",
        limit,
    )


async def test_a_document_of_too_many_tokens_is_not_read_on(client: GraphQLClient) -> None:
    answer = await client.ask("{" + "a " * 10_001 + "}")

    assert "10000 tokens" in answer.error["message"]
    assert answer.error["extensions"]["code"] == "BAD_USER_INPUT"
