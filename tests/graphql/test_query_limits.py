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


LIST = "query ($filter: RemediationAuditFilter) { remediationAudits(filter: $filter) { nodes { name } } }"


@pytest.mark.parametrize(
    ("filter_", "limit", "message"),
    [
        (
            {"or": [{}] * 1_000},
            "objects",
            "the operation has 1,001 objects, 1,000 are allowed: send less at once",
        ),
        (
            {"name": {"in": ["a"] * 60_000}},
            "values",
            "the operation has 60,002 values, 60,000 are allowed: send less at once",
        ),
    ],
)
async def test_variables_that_hold_too_much_are_refused_whoever_executes(
    client: GraphQLClient, filter_: dict[str, object], limit: str, message: str
) -> None:
    interpreted = await client.ask(LIST, filter=filter_)
    assert (await client.ask(LIST, filter={})).data
    compiled = await client.ask(LIST, filter=filter_)

    assert interpreted.body == compiled.body
    assert compiled.error["message"] == message
    assert (compiled.error["extensions"]["code"], compiled.error["extensions"]["limit"]) == (
        "COST_EXCEEDED",
        limit,
    )


async def test_an_answer_that_could_be_too_large_is_refused(client: GraphQLClient) -> None:
    pages = " ".join(f"a{i}: remediationAudits(first: 100) {{ nodes {{ metadata }} }}" for i in range(6))

    answer = await client.ask(f"{{ {pages} }}")

    assert answer.error["message"] == (
        "the answer may have 38,400 kibibytes, 32,000 are allowed: "
        "ask for smaller pages, or for less JSON and text"
    )


async def test_fragments_within_each_other_are_followed_so_far(client: GraphQLClient) -> None:
    spread = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} }}" for i in range(1_000))

    answer = await client.ask(f"{{ ...F0 }} {spread} fragment F1000 on Query {{ __typename }}")

    assert answer.error["extensions"] == {"code": "COST_EXCEEDED", "limit": "fragments", "max": 50}


async def test_faults_of_variables_are_told_up_to_fifty_whoever_executes(client: GraphQLClient) -> None:
    interpreted = await client.ask(LIST, filter={f"f{number}": 1 for number in range(100)})
    assert (await client.ask(LIST, filter={})).data
    compiled = await client.ask(LIST, filter={f"f{number}": 1 for number in range(100)})

    assert interpreted.body == compiled.body
    assert len(compiled.body["errors"]) == 51
    assert "error limit reached" in compiled.body["errors"][-1]["message"]


async def test_a_document_is_not_read_beyond_its_bound(client: GraphQLClient) -> None:
    longest = "{ __typename } #" + "x" * (100_000 - 16)

    assert (await client.ask(longest)).data == {"__typename": "Query"}
    refused = await client.ask(longest + "x")
    assert (refused.status, refused.error["message"]) == (
        413,
        "query has more than 100000 characters; send values as variables",
    )
