"""Documents that are named instead of sent: Apollo's persisted queries, and a list of trusted ones."""

import json
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import URL
from structlog.testing import capture_logs

from datastorage.errors import SettingsError, StartupError
from datastorage.observability.labels import DocumentLookup, Executor
from datastorage.observability.metrics import DOCUMENT_LOOKUPS
from datastorage.observability.tallies import hand_over
from datastorage.settings import load_settings
from support.access import Service, served
from support.api import Api, opened_api
from support.executors import executed_by
from support.records import remediation_input

GRAPHQL_JSON = {"accept": "application/graphql-response+json"}
CHROME = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGE = "query Page($n: Int) { remediationAudits(first: $n) { nodes { name } } }"
CREATE = "mutation M($i: CreateRemediationAuditInput!) { createRemediationAudit(input: $i) { __typename } }"
EMPTY = {"data": {"remediationAudits": {"nodes": []}}}
NOT_FOUND = {
    "errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]
}
NOT_SUPPORTED = {
    "errors": [
        {"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}
    ]
}
NO_SUCH = {
    "errors": [{"message": "no document has this documentId", "extensions": {"code": "BAD_USER_INPUT"}}]
}
UNTRUSTED = {
    "errors": [{"message": "only trusted documents are executed here", "extensions": {"code": "FORBIDDEN"}}]
}


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as api:
        yield api


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of trusted documents."""
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({"page-1": PAGE, "x-build:create": CREATE}))
    return path


def digest(document: str) -> str:
    return sha256(document.encode()).hexdigest()


def named(document: str) -> dict[str, Any]:
    """Extensions that name a document."""
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(document)}}


async def post(service: Service, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    return await service.http.post("/graphql", json=body, headers=headers)


async def get(service: Service, headers: dict[str, str] | None = None, **parameters: Any) -> httpx.Response:
    given = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()
    }
    return await service.http.get("/graphql", params=given, headers=headers)


def lookups() -> dict[str, float]:
    hand_over()
    return {outcome.value: DOCUMENT_LOOKUPS.labels(outcome)._value.get() for outcome in DocumentLookup}


# --- automatic persisted queries


@pytest.mark.parametrize("ask", [post, get])
async def test_a_document_that_was_sent_once_is_found_by_its_hash(api: Api, ask: Callable[..., Any]) -> None:
    before = lookups()
    async with served(api.deps) as service:
        unknown = await ask(service, extensions=named(PAGE), variables={"n": 3})
        registered = await ask(service, query=PAGE, extensions=named(PAGE), variables={"n": 3})
        known = await ask(service, extensions=named(PAGE), variables={"n": 3})

    assert (unknown.status_code, unknown.json()) == (200, NOT_FOUND)
    assert registered.json() == known.json() == EMPTY
    assert {name: count - before[name] for name, count in lookups().items() if count != before[name]} == {
        "not_found": 1,
        "registered": 1,
        "persisted": 1,
    }


async def test_a_client_of_the_newer_media_type_is_told_by_status_too(api: Api) -> None:
    async with served(api.deps) as service:
        answer = await post(service, GRAPHQL_JSON, extensions=named(PAGE))

    assert (answer.status_code, answer.json()) == (400, NOT_FOUND)


async def test_by_its_hash_alone_an_operation_is_executed_as_compiled(api: Api) -> None:
    async with served(api.deps) as service:
        await post(service, query=PAGE, extensions=named(PAGE))
        before = executed_by(Executor.COMPILED)
        answer = await post(service, extensions=named(PAGE), variables={"n": 101})

    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert executed_by(Executor.COMPILED) - before == 1


@pytest.mark.parametrize("compiled", [True, False])
async def test_limits_hold_for_a_document_by_name(api: Api, *, compiled: bool) -> None:
    async with served(api.deps, query_cost_max=100, compiled_execution=compiled) as service:
        await post(service, query=PAGE, extensions=named(PAGE))
        asked = {"extensions": named(PAGE), "variables": {"n": 100}}
        answer = await post(service, {"x-show-cost": "1"}, **asked)

    assert answer.json()["errors"][0]["extensions"]["code"] == "COST_EXCEEDED"
    assert answer.json()["extensions"] == {"cost": {"found": 101, "max": 100}}


async def test_a_hash_of_another_document_is_refused_and_nothing_remembered(api: Api) -> None:
    async with served(api.deps) as service:
        answer = await post(service, query="{ __typename }", extensions=named(PAGE))
        later = await post(service, extensions=named(PAGE))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "sha256Hash is not the SHA-256 of the query"
    assert later.json() == NOT_FOUND


async def test_what_is_no_document_of_ours_is_not_remembered(api: Api) -> None:
    async with served(api.deps) as service:
        for wrong in ("{ nothing }", "{ __typename", "{ a: __typename } query B { __typename }"):
            refused = await post(service, query=wrong, extensions=named(wrong))
            later = await post(service, extensions=named(wrong))

            assert "errors" in refused.json()
            assert later.json() == NOT_FOUND


@pytest.mark.parametrize(
    "persisted",
    [
        "a",
        {"version": 2, "sha256Hash": "0" * 64},
        {"version": 1},
        {"version": 1, "sha256Hash": "0" * 63},
        {"version": 1, "sha256Hash": "A" * 64},
        {"version": 1, "sha256Hash": 7},
    ],
)
async def test_a_hash_that_is_none_is_refused(api: Api, persisted: Any) -> None:
    async with served(api.deps) as service:
        answer = await post(service, query=PAGE, extensions={"persistedQuery": persisted})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"] == "persistedQuery must have version 1 and a sha256Hash"


async def test_a_mutation_by_its_hash_needs_post(api: Api) -> None:
    given = {"i": remediation_input()}
    async with served(api.deps) as service:
        await post(service, query=CREATE, extensions=named(CREATE), variables=given)
        got = await get(service, extensions=named(CREATE), variables=given)
        posted = await post(service, extensions=named(CREATE), variables=given)

    assert (got.status_code, got.headers["allow"]) == (405, "POST")
    assert posted.json()["data"] == {
        "createRemediationAudit": {"__typename": "CreateRemediationAuditPayload"}
    }


async def test_where_documents_are_not_remembered_clients_are_told_to_send_them(api: Api) -> None:
    async with served(api.deps, persisted_queries=False) as service:
        sent = await post(service, query="{ __typename }", extensions=named("{ __typename }"))
        by_hash = await post(service, extensions=named("{ __typename }"))

    assert sent.json() == {"data": {"__typename": "Query"}}
    assert (by_hash.status_code, by_hash.json()) == (200, NOT_SUPPORTED)


async def test_a_browser_that_names_a_document_gets_its_answer_and_no_page(api: Api) -> None:
    async with served(api.deps) as service:
        answer = await get(service, CHROME, extensions=named(PAGE))

    assert answer.json() == NOT_FOUND


# --- trusted documents


@pytest.mark.parametrize("ask", [post, get])
@pytest.mark.parametrize("name", ["page-1", digest(PAGE), f"sha256:{digest(PAGE)}"])
async def test_a_trusted_document_is_found_by_its_id_and_its_hash(
    api: Api, listed: Path, ask: Callable[..., Any], name: str
) -> None:
    before = lookups()["trusted"]
    async with served(api.deps, trusted_documents=listed) as service:
        answer = await ask(service, documentId=name, variables={"n": 100, "unused": 1})

    assert answer.status_code == 200
    assert "errors" not in answer.json()
    assert lookups()["trusted"] - before == 1


async def test_it_is_found_by_a_persisted_query_too(api: Api, listed: Path) -> None:
    async with served(api.deps, trusted_documents=listed) as service:
        answer = await post(service, extensions=named(PAGE))

    assert "data" in answer.json()


async def test_an_id_that_nothing_has_is_told(api: Api, listed: Path) -> None:
    async with served(api.deps, trusted_documents=listed) as service:
        answer = await post(service, documentId="page-2")

    assert (answer.status_code, answer.json()) == (200, NO_SUCH)


@pytest.mark.parametrize(
    "asked", [{"documentId": 7}, {"documentId": "page-1", "query": PAGE}, {"query": ""}, {}]
)
async def test_a_request_names_one_document(api: Api, listed: Path, asked: dict[str, Any]) -> None:
    async with served(api.deps, trusted_documents=listed) as service:
        answer = await post(service, **asked)

    assert answer.status_code == 400


@pytest.mark.parametrize("compiled", [True, False])
async def test_where_only_trusted_documents_are_executed_nothing_else_is(
    api: Api, listed: Path, *, compiled: bool
) -> None:
    settings = {"trusted_documents": listed, "trusted_documents_only": True, "compiled_execution": compiled}
    other = "query Other { remediationAudits { nodes { metadata } } }"
    before = lookups()["refused"]

    async with served(api.deps, **settings) as service:
        for _ in range(2):  # the second time compiled
            for asked in (
                {"documentId": "page-1"},
                {"query": PAGE},
                {"query": PAGE, "extensions": named(PAGE)},
            ):
                assert "data" in (await post(service, **asked)).json()
        sent = await post(service, query=other)
        registering = await post(service, query=other, extensions=named(other))
        got = await get(service, query=other)
        spaced = await post(service, query=f"{PAGE} ")
        introspected = await post(service, query="{ __schema { types { name } } }")
        by_hash = await post(service, extensions=named(other))

    for refused in (sent, registering, got, spaced, introspected):
        assert (refused.status_code, refused.json()) == (200, UNTRUSTED)
    assert by_hash.json() == NOT_SUPPORTED
    assert lookups()["refused"] - before == 5


async def test_what_is_not_trusted_is_a_denial_in_the_access_audit(api: Api, listed: Path) -> None:
    async with served(api.deps, trusted_documents=listed, trusted_documents_only=True) as service:
        await post(service, {"x-request-id": "untrusted-1"}, query="{ __typename }")
    await api.deps.trail.write(api.deps.database)

    row = await api.sql.fetchrow(
        "SELECT outcome, principal, reason FROM access_audit WHERE request_id = 'untrusted-1'"
    )
    assert tuple(row) == ("denied", "anonymous", "no trusted document")


async def test_a_trusted_document_of_another_schema_is_told_at_start(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({"old": "{ gone }", "broken": "{", "good": "{ __typename }"}))

    with capture_logs() as lines:
        async with served(api.deps, trusted_documents=path) as service:
            answer = await post(service, documentId="good")

    told = {line["document"]: line["fault"] for line in lines if line["event"] == "trusted_document_invalid"}
    assert told == {
        "old": "Cannot query field 'gone' on type 'Query'. Did you mean 'node'?",
        "broken": "Syntax Error: Expected Name, found <EOF>.",
    }
    assert answer.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the trusted documents of {path}: No such file or directory"),
        ("{", "the trusted documents of {path} are no JSON: "),
        ("[]", '{path} must hold trusted documents by their ids: {{"id": "query …"}}'),
        ('{"a": 1}', '{path} must hold trusted documents by their ids: {{"id": "query …"}}'),
    ],
)
async def test_without_its_list_the_service_does_not_start(
    api: Api, tmp_path: Path, content: str | None, message: str
) -> None:
    path = tmp_path / "documents.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(StartupError) as refused:
        async with served(api.deps, trusted_documents=path):
            pass

    assert str(refused.value).startswith(message.format(path=path))


def test_nothing_but_trusted_documents_needs_some() -> None:
    with pytest.raises(SettingsError, match="DATASTORAGE_TRUSTED_DOCUMENTS_ONLY: would refuse everything"):
        load_settings(trusted_documents_only=True)
