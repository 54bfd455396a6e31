"""What pages of other origins can do through somebody's browser: nothing, unless the settings let them."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy.engine import URL

from datastorage.graphql.schema import build_schema
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.api import Api, opened_api
from support.records import remediation_input

LIST = "{ remediationAudits(first: 1) { nodes { name } } }"
CREATE = "mutation($i: CreateRemediationAuditInput!) { createRemediationAudit(input: $i) { __typename } }"
DASHBOARDS, STRANGER = "https://dashboards.example", "https://stranger.example"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as api:
        yield api


def called(api: Api, base_url: str = "http://localhost", **settings: object) -> httpx.AsyncClient:
    """The service with other settings, under some name."""
    app = build_application(build_schema(), Settings(_env_file=None, **settings))
    app.state.deps, app.state.health = api.deps, Health(api.deps.database)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)


# --- requests that browsers send for any page, without asking first


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; application/json",
        "text/plain;charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json, text/plain",
        "",
        None,
    ],
)
async def test_a_simple_request_stores_nothing(api: Api, content_type: str | None) -> None:
    body = json.dumps({"query": CREATE, "variables": {"i": remediation_input()}})
    headers = {"origin": STRANGER} | ({} if content_type is None else {"content-type": content_type})

    async with called(api) as http:
        answer = await http.post("/graphql", content=body, headers=headers)

    assert answer.status_code == 415
    assert await api.sql.fetchval("SELECT count(*) FROM remediation_audit") == 0


async def test_a_form_stores_nothing(api: Api) -> None:
    form = {"query": CREATE, "variables": json.dumps({"i": remediation_input()})}

    async with called(api) as http:
        answers = [
            await http.post("/graphql", data=form),
            await http.post("/graphql", files={"query": (None, CREATE), "map": (None, "{}")}),
            await http.post("/graphql", params=form),
            await http.get("/graphql", params=form),
        ]

    assert [answer.status_code for answer in answers] == [415, 415, 415, 405]
    assert await api.sql.fetchval("SELECT count(*) FROM remediation_audit") == 0


@pytest.mark.parametrize("content_type", ["application/json", "application/graphql+json"])
async def test_a_request_that_browsers_ask_about_first_is_taken(api: Api, content_type: str) -> None:
    async with called(api) as http:
        answer = await http.post(
            "/graphql", content=json.dumps({"query": LIST}), headers={"content-type": content_type}
        )

    assert answer.json() == {"data": {"remediationAudits": {"nodes": []}}}


# --- other origins


async def test_no_other_origin_is_let_in_by_default(api: Api) -> None:
    async with called(api) as http:
        preflight = await http.options("/graphql", headers={"origin": DASHBOARDS, **PREFLIGHT})
        answer = await http.post("/graphql", json={"query": LIST}, headers={"origin": DASHBOARDS})

    assert preflight.status_code == 405
    assert not [name for each in (preflight, answer) for name in each.headers if "access-control" in name]


async def test_a_listed_origin_may_ask_and_read(api: Api) -> None:
    headers = PREFLIGHT | {"access-control-request-headers": "authorization,content-type,x-actor,x-api-key"}

    async with called(api, cors_origins=f"{DASHBOARDS}/, http://localhost:3000") as http:
        preflight = await http.options("/graphql", headers={"origin": DASHBOARDS, **headers})
        answer = await http.post("/graphql", json={"query": LIST}, headers={"origin": DASHBOARDS})
        refused = await http.post("/graphql", json={}, headers={"origin": "http://localhost:3000"})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == DASHBOARDS
    assert preflight.headers["access-control-allow-methods"] == "GET, POST"
    assert answer.headers["access-control-allow-origin"] == DASHBOARDS
    assert answer.headers["access-control-expose-headers"] == "x-request-id, retry-after"
    assert answer.headers["vary"] == "accept, Origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (
        400,
        "http://localhost:3000",
    )


@pytest.mark.parametrize(
    "origin",
    [STRANGER, f"{DASHBOARDS}.stranger.example", f"{DASHBOARDS}:8443", "http://dashboards.example", "null"],
)
async def test_an_origin_that_is_not_listed_may_not(api: Api, origin: str) -> None:
    async with called(api, cors_origins=DASHBOARDS) as http:
        preflight = await http.options("/graphql", headers={"origin": origin, **PREFLIGHT})
        answer = await http.post("/graphql", json={"query": LIST}, headers={"origin": origin})

    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in answer.headers


# --- names that were made to lead here


@pytest.mark.parametrize(
    "name",
    [
        "localhost:8080",
        "LocalHost",
        "app.localhost",
        "127.0.0.1:8080",
        "[::1]:8080",
        "10.1.2.3",
        "datastorage",
    ],
)
async def test_names_that_are_nobody_elses_are_answered(api: Api, name: str) -> None:
    async with called(api, f"http://{name}") as http:
        assert (await http.post("/graphql", json={"query": LIST})).status_code == 200


@pytest.mark.parametrize(
    "name", ["rebound.example", "rebound.example:8080", "127.0.0.1.rebound.example", "localhost.example."]
)
async def test_a_name_of_the_internet_is_refused_while_nobody_is_authenticated(api: Api, name: str) -> None:
    async with called(api, f"http://{name}") as http:
        answers = [
            await http.post("/graphql", json={"query": LIST}),
            await http.get("/graphql", headers={"accept": CHROME}),
        ]
        probe = await http.get("/health")

    assert [answer.status_code for answer in answers] == [421, 421]
    assert answers[0].json() == {
        "errors": [{"message": "the service has another name", "extensions": {"code": "FORBIDDEN"}}]
    }
    assert probe.status_code == 200


async def test_any_name_is_answered_where_credentials_are_asked_for(api: Api) -> None:
    async with called(api, "http://api.example", auth_modes="api_key") as http:
        assert (await http.post("/graphql", json={"query": LIST})).status_code == 401
    async with called(api, "http://api.example", insecure=True) as http:
        assert (await http.post("/graphql", json={"query": LIST})).status_code == 200


async def test_listed_names_and_no_others_are_answered(api: Api) -> None:
    async def status(name: str) -> int:
        async with called(api, f"http://{name}", http_hosts="api.example, *.svc, [::1]") as http:
            return (await http.post("/graphql", json={"query": LIST})).status_code

    assert [await status(name) for name in ("API.example:8080", "datastorage.ops.svc", "[::1]:8080")] == [
        200
    ] * 3
    assert [await status(name) for name in ("localhost", "my-api.example", "svc", "127.0.0.1")] == [421] * 4


# --- what browsers are told about answers


async def test_answers_are_kept_by_nobody_framed_by_nobody_and_taken_for_nothing_else(api: Api) -> None:
    async with called(api) as http:
        answers = [
            await http.post("/graphql", json={"query": LIST}),
            await http.get("/graphql", params={"query": LIST}),
            await http.post("/graphql", json={}),
            await http.get("/nowhere"),
            await http.get("/ready"),
            await http.get("/"),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 400, 404, 200, 307]
    for answer in answers:
        told = {name: answer.headers[name] for name in ANSWER_HEADERS}
        assert told == ANSWER_HEADERS


ANSWER_HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
