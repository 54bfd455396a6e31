"""GraphiQL's page and assets: what is answered, to whom, under which security headers."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from datastorage.web.graphiql import graphiql_assets, graphiql_page, wants_page

CHROME = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept",
    [
        CHROME,
        FIREFOX,
        "text/html",
        "TEXT/HTML; Q=0.5",
        "text/html, */*",
        "application/json;q=0.5, text/html;q=0.6",
    ],
)
def test_a_browser_wants_the_page(accept: str) -> None:
    assert wants_page(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/graphql-response+json, application/json;q=0.9",
        "application/json, text/html",
        "text/html;q=0.5, application/graphql-response+json",
        "text/html;q=0.1, */*",
        "text/html;q=0",
        "text/html;q=much",
        "text/plain",
    ],
)
def test_an_api_client_wants_no_page(accept: str) -> None:
    assert not wants_page(accept)


def site(built: Path) -> httpx.AsyncClient:
    async def page(_: Request) -> Response:
        return graphiql_page(built)

    app = Starlette(routes=[Route("/graphql", page), graphiql_assets(built)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://datastorage")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>GraphiQL ✓</title>")
    (tmp_path / "assets" / "index-BCJA.js").write_text("const answer = 42;\n" * 100)
    (tmp_path / "secret.txt").write_text("not an asset")
    return tmp_path


async def test_page_is_the_built_one(built: Path) -> None:
    async with site(built) as client:
        answer = await client.get("/graphql")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == "<!doctype html><title>GraphiQL ✓</title>"


async def test_page_is_revalidated_and_varies_by_accept(built: Path) -> None:
    async with site(built) as client:
        answer = await client.get("/graphql")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["vary"] == "accept"


@pytest.mark.parametrize("path", ["/graphql", "/graphiql/assets/index-BCJA.js"])
async def test_page_and_workers_may_load_from_this_service_only(built: Path, path: str) -> None:
    async with site(built) as client:
        answer = await client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_asset_is_compressed_and_cached_for_good(built: Path) -> None:
    async with site(built) as client:
        answer = await client.get("/graphiql/assets/index-BCJA.js", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.text == "const answer = 42;\n" * 100
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_asset_is_not_sent_again(built: Path) -> None:
    async with site(built) as client:
        first = await client.get("/graphiql/assets/index-BCJA.js")
        again = await client.get(
            "/graphiql/assets/index-BCJA.js", headers={"if-none-match": first.headers["etag"]}
        )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["missing.js", "..%2fsecret.txt", "%2e%2e/secret.txt", "", "nested/index-BCJA.js"]
)
async def test_other_files_are_not_found(built: Path, path: str) -> None:
    async with site(built) as client:
        answer = await client.get(f"/graphiql/assets/{path}")
    assert answer.status_code == 404


async def test_page_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    async with site(tmp_path) as client:
        page = await client.get("/graphql")
        asset = await client.get("/graphiql/assets/index-BCJA.js")
    assert page.status_code == 200
    assert "run <code>make ui</code>" in page.text
    assert "curl http://127.0.0.1:8080/graphql" in page.text
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert asset.status_code == 404


async def test_page_built_while_the_service_runs_appears(tmp_path: Path) -> None:
    async with site(tmp_path) as client:
        missing = await client.get("/graphiql/assets/index-1.js")
        (tmp_path / "assets").mkdir()
        (tmp_path / "assets" / "index-1.js").write_text("1;")
        (tmp_path / "index.html").write_text("built")
        page, asset = await client.get("/graphql"), await client.get("/graphiql/assets/index-1.js")
    assert missing.status_code == 404
    assert (page.text, asset.text) == ("built", "1;")
