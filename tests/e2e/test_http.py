"""GraphQL over HTTP: how a request may be sent, how the answer comes back, and what is told of a bad one."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import URL

from datastorage.graphql.schema import build_schema
from datastorage.limits import REQUEST_BODY_BYTES_MAX
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.api import Api, opened_api
from support.records import remediation_input

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
LIST = "{ remediationAudits(first: 1) { nodes { name } } }"
EMPTY_PAGE = {"data": {"remediationAudits": {"nodes": []}}}
CREATE = (
    "mutation($i: CreateRemediationAuditInput!) { createRemediationAudit(input: $i) { __typename "
    "... on UnavailableError { message code retryable outcomeUnknown } } }"
)


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as api:
        yield api


@pytest.fixture
def http(api: Api) -> httpx.AsyncClient:
    return api.client.http


def told(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of an answer with one error, whose form is that of every error."""
    assert answer.headers["content-type"] in (f"{JSON}; charset=utf-8", f"{GRAPHQL_JSON}; charset=utf-8")
    body = answer.json()
    assert "data" not in body
    (error,) = body["errors"]
    return answer.status_code, error["extensions"]["code"], error["message"]


# --- the ways in


async def test_a_query_comes_by_post(http: httpx.AsyncClient) -> None:
    answer = await http.post("/graphql", json={"query": LIST, "variables": None, "operationName": None})

    assert (answer.status_code, answer.json()) == (200, EMPTY_PAGE)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_query_comes_by_get_with_variables_and_operation_name(http: httpx.AsyncClient) -> None:
    query = "query One($n: Int) { remediationAudits(first: $n) { nodes { name } } } query Two { __typename }"

    one = await http.get("/graphql", params={"query": query, "variables": '{"n": 1}', "operationName": "One"})
    two = await http.get("/graphql", params={"query": query, "operationName": "Two"})

    assert one.json() == EMPTY_PAGE
    assert two.json() == {"data": {"__typename": "Query"}}


async def test_a_mutation_by_get_is_refused_and_leaves_no_trace(api: Api, http: httpx.AsyncClient) -> None:
    variables = json.dumps({"i": remediation_input()})

    answer = await http.get("/graphql", params={"query": CREATE, "variables": variables})

    assert told(answer) == (405, "BAD_USER_INPUT", "mutations need POST")
    assert answer.headers["allow"] == "POST"
    assert await api.sql.fetchval("SELECT count(*) FROM remediation_audit") == 0


async def test_a_head_request_reads_like_a_get(http: httpx.AsyncClient) -> None:
    query = await http.head("/graphql", params={"query": LIST})
    mutation = await http.head("/graphql", params={"query": "mutation { a }"}, headers={"content-type": JSON})
    page = await http.head("/graphql", headers={"accept": CHROME})

    assert [answer.status_code for answer in (query, mutation, page)] == [200, 405, 200]
    assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_the_content_type_may_carry_a_charset(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/graphql",
        content=json.dumps({"query": LIST}),
        headers={"content-type": "Application/JSON; charset=UTF-8"},
    )

    assert answer.json() == EMPTY_PAGE


@pytest.mark.parametrize("charset", ['"utf-8"', "UTF8", "us-ascii"])
async def test_the_charset_may_be_any_name_of_utf_8(http: httpx.AsyncClient, charset: str) -> None:
    answer = await http.post(
        "/graphql",
        content=json.dumps({"query": LIST}),
        headers={"content-type": f"application/json;charset={charset}; profile=none"},
    )

    assert answer.json() == EMPTY_PAGE


async def test_extensions_are_accepted_as_a_map(http: httpx.AsyncClient) -> None:
    given = {"tracing": {"version": 1}}

    posted = await http.post("/graphql", json={"query": LIST, "extensions": given})
    got = await http.get("/graphql", params={"query": LIST, "extensions": json.dumps(given)})

    assert posted.json() == got.json() == EMPTY_PAGE


# --- what cannot be read


@pytest.mark.parametrize("charset", ["latin1", "utf-16", ""])
async def test_another_charset_is_refused(http: httpx.AsyncClient, charset: str) -> None:
    answer = await http.post(
        "/graphql",
        content=json.dumps({"query": LIST}),
        headers={"content-type": f"application/json; charset={charset}"},
    )

    assert told(answer) == (415, "BAD_USER_INPUT", "send the operation as JSON in UTF-8")


@pytest.mark.parametrize("content_type", ["text/html", "application/graphql", "application/xml", "", None])
async def test_another_content_type_is_refused(http: httpx.AsyncClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}

    answer = await http.post("/graphql", content=json.dumps({"query": LIST}), headers=headers)

    assert told(answer) == (
        415,
        "BAD_USER_INPUT",
        "send the operation as JSON with content-type application/json",
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body cannot be read as JSON"),
        (b"{", "the body cannot be read as JSON"),
        (b'{"query": NaN}', "the body cannot be read as JSON"),
        (b'{"query": "{ \xff }"}', "the body cannot be read as JSON"),
        (b'{"query": "\\ud800"}', "the body cannot be read as JSON"),
        (b"[" * 2_000, "the body cannot be read as JSON"),
        (b'"{ __typename }"', "the body must be a JSON object with a query"),
        (b"null", "the body must be a JSON object with a query"),
        (b'[{"query": "{ __typename }"}]', "batches are not supported; send one operation"),
        (b"{}", "query must be a string with a GraphQL document"),
        (b'{"query": ["{ __typename }"]}', "query must be a string with a GraphQL document"),
        (b'{"query": 1}', "query must be a string with a GraphQL document"),
        (b'{"query": " \\n"}', "query must be a string with a GraphQL document"),
        (b'{"query": "{ __typename }", "variables": []}', "variables must be an object"),
        (b'{"query": "{ __typename }", "variables": "{}"}', "variables must be an object"),
        (b'{"query": "{ __typename }", "extensions": 1}', "extensions must be an object"),
        (b'{"query": "{ __typename }", "operationName": 1}', "operationName must be a string"),
    ],
)
async def test_a_body_that_is_no_request_is_refused(
    http: httpx.AsyncClient, body: bytes, message: str
) -> None:
    answer = await http.post("/graphql", content=body, headers={"content-type": JSON})

    status, code, said = told(answer)
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert said.startswith(message)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"variables": "{}"}, "query must be a string with a GraphQL document"),
        ({"query": LIST, "variables": "{"}, "variables cannot be read as JSON"),
        ({"query": LIST, "variables": "[]"}, "variables must be an object"),
        ({"query": LIST, "extensions": "{"}, "extensions cannot be read as JSON"),
        ({"query": LIST, "extensions": "1"}, "extensions must be an object"),
    ],
)
async def test_parameters_that_are_no_request_are_refused(
    http: httpx.AsyncClient, parameters: dict[str, str], message: str
) -> None:
    status, code, said = told(await http.get("/graphql", params=parameters))

    assert (status, code) == (400, "BAD_USER_INPUT")
    assert said.startswith(message)


async def test_a_body_beyond_the_limit_is_refused(http: httpx.AsyncClient) -> None:
    largest = json.dumps({"query": "{ __typename }", "variables": {"pad": ""}})
    largest = largest.replace('""', f'"{"x" * (REQUEST_BODY_BYTES_MAX - len(largest))}"')

    accepted = await http.post("/graphql", content=largest, headers={"content-type": JSON})
    refused = await http.post("/graphql", content=largest + " ", headers={"content-type": JSON})

    assert len(largest) == REQUEST_BODY_BYTES_MAX
    assert accepted.json() == {"data": {"__typename": "Query"}}
    assert told(refused) == (413, "BAD_USER_INPUT", "the body is larger than 8388608 bytes")
    assert refused.headers["connection"] == "close"


# --- operations that cannot run


@pytest.mark.parametrize("name", ["Three", None])
async def test_an_unknown_operation_name_is_refused(http: httpx.AsyncClient, name: str | None) -> None:
    body = {"query": "query One { __typename } query Two { __typename }", "operationName": name}
    which = "name one of the document's operations in operationName"

    old = await http.post("/graphql", json=body)
    new = await http.post("/graphql", json=body, headers={"accept": GRAPHQL_JSON})

    assert told(old) == (200, "BAD_USER_INPUT", which)
    assert told(new) == (400, "BAD_USER_INPUT", which)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ remediationAudits", "Syntax Error: Expected Name, found <EOF>."),
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'."),
        ("query A { query B", "Syntax Error: Expected Name, found <EOF>."),
        ("fragment F on Query { __typename }", "name one of the document's operations in operationName"),
        ("{" + "a{" * 5_000, "Syntax Error: Document is nested too deeply. Parsing aborted."),
    ],
)
async def test_a_document_that_is_no_operation_of_ours_is_refused(
    http: httpx.AsyncClient, query: str, message: str
) -> None:
    answer = await http.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL_JSON})

    assert told(answer) == (400, "BAD_USER_INPUT", message)


async def test_a_subscription_is_refused(http: httpx.AsyncClient) -> None:
    body = {"query": "subscription { a }"}

    posted = await http.post("/graphql", json=body)
    got = await http.get("/graphql", params=body)
    new = await http.post("/graphql", json=body, headers={"accept": GRAPHQL_JSON})

    assert told(posted) == told(got) == (200, "BAD_USER_INPUT", "subscriptions are not supported")
    assert told(new) == (400, "BAD_USER_INPUT", "subscriptions are not supported")


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        ({}, "Expected a value of non-null type 'Int!' to be provided."),
        ({"n": "x"}, "Int cannot represent non-integer value"),
    ],
)
async def test_variables_of_another_type_are_refused(
    http: httpx.AsyncClient, variables: dict[str, Any], fault: str
) -> None:
    query = "query($n: Int!) { remediationAudits(first: $n) { nodes { name } } }"
    body = {"query": query, "variables": variables}

    old = await http.post("/graphql", json=body)
    new = await http.post("/graphql", json=body, headers={"accept": GRAPHQL_JSON})

    message = f"Variable '$n' has invalid value: {fault}"
    assert told(old) == (200, "BAD_USER_INPUT", message)
    assert told(new) == (400, "BAD_USER_INPUT", message)


# --- the way out


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {JSON};q=0.9", GRAPHQL_JSON),
        (f"{JSON}, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL_JSON};q=0, */*", JSON),
        ("text/html, */*;q=0.1", JSON),
        (f"{GRAPHQL_JSON.upper()}; charset=utf-8", GRAPHQL_JSON),
    ],
)
async def test_the_media_type_of_the_answer_is_negotiated(
    http: httpx.AsyncClient, accept: str | None, media: str
) -> None:
    headers = {"accept": accept} if accept is not None else {}
    if accept is None:
        http.headers.pop("accept", None)

    valid = await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    invalid = await http.post("/graphql", json={"query": "{ nothing }"}, headers=headers)
    unreadable = await http.post("/graphql", json={}, headers=headers)

    answers = (valid, invalid, unreadable)
    assert {answer.headers["content-type"] for answer in answers} == {f"{media}; charset=utf-8"}
    assert {answer.headers["vary"] for answer in answers} == {"accept"}
    refused = 400 if media == GRAPHQL_JSON else 200
    assert [answer.status_code for answer in answers] == [200, refused, 400]


@pytest.mark.parametrize(
    "accept", ["text/html", "image/*", f"{JSON};q=0", f"{JSON};q=much", "application/xml, text/plain"]
)
async def test_an_answer_that_nobody_accepts_is_not_given(http: httpx.AsyncClient, accept: str) -> None:
    answer = await http.post("/graphql", json={"query": LIST}, headers={"accept": accept})

    assert told(answer) == (
        406,
        "BAD_USER_INPUT",
        "answers come as application/graphql-response+json or application/json",
    )


async def test_an_error_of_one_field_comes_with_the_data_of_the_others(http: httpx.AsyncClient) -> None:
    query = '{ remediationAudit(requestId: "no") { id } bad: remediationAudit { id } }'

    answer = await http.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL_JSON})

    assert answer.status_code == 200
    assert answer.json()["data"] == {"remediationAudit": None, "bad": None}
    (error,) = answer.json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["bad"], "BAD_USER_INPUT")


async def test_data_that_is_null_as_a_whole_is_still_an_answer(http: httpx.AsyncClient) -> None:
    query = "{ remediationAudits(first: 0) { nodes { name } } }"

    answer = await http.post("/graphql", json={"query": query}, headers={"accept": GRAPHQL_JSON})

    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


# --- request ids


@pytest.mark.parametrize("given", ["a", "7f3c:1.2_x-Y", "x" * 128])
async def test_a_sane_request_id_comes_back(http: httpx.AsyncClient, given: str) -> None:
    for path in ("/health", "/graphql", "/nowhere"):
        answer = await http.get(path, headers={"x-request-id": given})

        assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", [None, "", "x" * 129, "with space", "<script>", "ü"])
async def test_another_request_id_is_made(http: httpx.AsyncClient, given: str | None) -> None:
    headers = {} if given is None else {"x-request-id": given.encode()}

    ids = [(await http.get("/health", headers=headers)).headers["x-request-id"] for _ in range(2)]

    assert ids[0] != ids[1]
    assert all(re.fullmatch(r"[0-9a-f]{32}", made) for made in ids)


# --- other paths and methods


async def test_an_unknown_path_is_not_found(http: httpx.AsyncClient) -> None:
    answer = await http.get("/nowhere")

    assert told(answer) == (404, "NOT_FOUND", "there is nothing here; the API is at /graphql")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/graphql", {"GET", "HEAD", "POST"}),
        ("PUT", "/graphql", {"GET", "HEAD", "POST"}),
        ("POST", "/health", {"GET", "HEAD"}),
        ("POST", "/ready", {"GET", "HEAD"}),
    ],
)
async def test_another_method_is_refused(
    http: httpx.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await http.request(method, path)

    assert told(answer) == (405, "BAD_USER_INPUT", f"{path} does not take {method}")
    assert set(answer.headers["allow"].split(", ")) == allowed


async def test_a_browser_gets_the_page_and_the_root_leads_there(http: httpx.AsyncClient) -> None:
    page = await http.get("/", headers={"accept": CHROME}, follow_redirects=True)

    assert (page.status_code, page.url.path) == (200, "/graphql")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Data Storage Service</title>" in page.text


async def test_a_browser_that_sends_a_query_gets_its_answer(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", params={"query": LIST}, headers={"accept": CHROME})

    assert answer.json() == EMPTY_PAGE


async def test_there_is_no_page_where_graphiql_is_off(api: Api) -> None:
    async with with_settings(api, graphiql=False) as http:
        answer = await http.get("/graphql", headers={"accept": CHROME})
        asset = await http.get("/graphiql/assets/index.js")

    assert told(answer) == (404, "NOT_FOUND", "GraphiQL is off")
    assert told(asset)[:2] == (404, "NOT_FOUND")


# --- time-outs and clients that go away


async def test_a_request_that_takes_too_long_is_ended_and_what_it_began_ends_whole(api: Api) -> None:
    async with api.sql.transaction(), with_settings(api, request_timeout_s=0.3) as http:
        await api.sql.execute("LOCK TABLE remediation_audit")
        read, written = await asyncio.gather(
            http.post("/graphql", json={"query": LIST}),
            http.post("/graphql", json={"query": CREATE, "variables": {"i": remediation_input()}}),
        )

    assert told(read) == (504, "TIMEOUT", "the request took too long; narrow it or try again")
    assert written.json()["data"]["createRemediationAudit"] == {
        "__typename": "UnavailableError",
        "message": "the request took too long; repeat it to learn its outcome",
        "code": "UNAVAILABLE",
        "retryable": True,
        "outcomeUnknown": True,
    }
    await api.deps.writes.close()
    assert await api.sql.fetchval("SELECT count(*) FROM remediation_audit") == 1
    assert await api.sql.fetchval("SELECT count(*) FROM remediation_event") == 1
    assert not any(use.in_use for use in api.deps.database.pools().values())


async def test_a_client_that_leaves_while_it_sends_is_no_fault_of_ours(api: Api) -> None:
    sent: list[dict[str, Any]] = []
    received = iter([{"type": "http.request", "body": b'{"query"', "more_body": True}])

    async def receive() -> dict[str, Any]:
        return next(received, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await application(api)(scope, receive, send)

    assert sent[0]["status"] == 400


def application(api: Api, **settings: Any) -> Any:
    """The service of the module with other settings."""
    app = build_application(build_schema(), Settings(_env_file=None, **settings))
    app.state.deps, app.state.health = api.deps, Health(api.deps.database)
    return app


def with_settings(api: Api, **settings: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(api, **settings))
    return httpx.AsyncClient(transport=transport, base_url="http://test")
