"""With introspection off the schema is told to nobody: not asked for, not suggested, not by GET."""

from collections.abc import AsyncIterator

import httpx
import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_introspection_query
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.graphql.query_limits import QueryLimits
from datastorage.graphql.schema import build_schema
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.postgres import cloned

NAMES = {
    name
    for named in build_schema()._schema.type_map.values()
    if isinstance(named, GraphQLObjectType | GraphQLInputObjectType) and not named.name.startswith("__")
    for name in named.fields
    if len(name) > 4
}


@pytest.fixture(scope="module")
async def http(server_url: URL, template: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(_env_file=None, pool_size=8, introspection=False)
    async with cloned(server_url, template) as url, dependencies(url, settings) as deps:
        app = build_application(build_schema(QueryLimits(introspection=False)), settings)
        app.state.deps, app.state.health = deps, Health(deps.database)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        "{ __schema { types { name } } }",
        '{ __type(name: "Query") { fields { name } } }',
        "{ ...F } fragment F on Query { a: __schema { queryType { fields { name } } } }",
        "{ remediationAudits { nodes { __typename } } __schema { directives { name } } }",
    ],
)
async def test_introspection_is_refused_by_post_and_by_get(http: httpx.AsyncClient, query: str) -> None:
    for answer in (
        await http.post("/graphql", json={"query": query}),
        await http.get("/graphql", params={"query": query}),
    ):
        assert "data" not in answer.json()
        assert not [
            name for name in ("remediationAudits", "AccessEntry", "skip") if name in told(answer, query)
        ]


async def test_a_name_that_is_nearly_right_is_not_put_right(http: httpx.AsyncClient) -> None:
    guesses = {f"{name[:-1]}{'x' if name[-1] != 'x' else 'y'}" for name in NAMES} - NAMES
    within = f"remediationAudits {{ {' '.join(guesses)} nodes {{ {' '.join(guesses)} }} }}"
    inputs = {"filter": dict.fromkeys(guesses, 1)}

    by_fields = await http.post("/graphql", json={"query": f"{{ {' '.join(guesses)} {within} }}"})
    by_inputs = await http.post(
        "/graphql",
        json={
            "query": "query ($filter: RemediationAuditFilter) { remediationAudits(filter: $filter) { __typename } }",
            "variables": inputs,
        },
    )
    by_arguments = await http.post(
        "/graphql", json={"query": f"{{ remediationAudits({': 1 '.join(guesses)}: 1) {{ __typename }} }}"}
    )

    for answer in (by_fields, by_inputs, by_arguments):
        assert answer.json()["errors"]
        sent = answer.request.content.decode()
        assert not [name for name in NAMES if f"'{name}'" in answer.text and name not in sent]
        assert "Did you mean" not in answer.text


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("{ node }", "{ nodd }"),
        ("{ remediationAudits }", "{ remediationAuditz }"),
        ("{ remediation { request { id } } }", "{ remediatiom { request { id } } }"),
        (
            "{ remediationAudits(first: true) { nodes { id } } }",
            "{ remediationAudits(fist: true) { nodes { id } } }",
        ),
        ("mutation { createRemediationAudit }", "mutation { createRemediationAudis }"),
        ("{ remediationAudits { nodes { id { a } } } }", "{ remediationAudits { nodes { ix { a } } } }"),
    ],
)
async def test_a_right_name_at_a_wrong_place_is_not_confirmed(
    http: httpx.AsyncClient, right: str, wrong: str
) -> None:
    answers = [await http.post("/graphql", json={"query": query}) for query in (right, wrong)]

    told_of_right, told_of_wrong = (
        {error["message"] for error in answer.json()["errors"]} for answer in answers
    )
    assert told_of_right == told_of_wrong == {"The document does not fit the schema, which is hidden here."}


def told(answer: httpx.Response, query: str) -> str:
    """What an answer tells beyond what was asked."""
    text = answer.text
    for word in set(query.split()):
        text = text.replace(word, "")
    return text
