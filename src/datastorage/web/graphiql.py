"""GraphiQL for people: the page at GET /graphql and its files, all from this service.

`app` mounts the assets, the GraphQL endpoint answers browsers with the page.
The files are built by `make ui` and come inside the wheel; a checkout may lack them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from datastorage.web.accept import weights
from datastorage.web.security_headers import ON_PAGES

BUILT: Final = Path(__file__).parent / "static" / "graphiql"

# /graphql answers machines as well, and the page names the assets of one build.
_PAGE_HEADERS: Final = {**ON_PAGES, "cache-control": "no-cache", "vary": "accept"}
# The file names carry a hash of the content: another content has another name.
_ASSET_HEADERS: Final = {**ON_PAGES, "cache-control": "public, max-age=31536000, immutable"}

_ANSWERS: Final = ("application/graphql-response+json", "application/json")

_NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Data Storage Service</title></head>
<body style="max-width: 44rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif">
<h1>Data Storage Service</h1>
<p>The GraphQL API answers at this address. GraphiQL, its page for people, is not built in this checkout:
run <code>make ui</code> and load this page again.</p>
<p>Until then, any client will do:</p>
<pre style="overflow-x: auto; padding: 1rem; background: #eef1f6">curl http://127.0.0.1:8080/graphql \\
  -H 'content-type: application/json' \\
  -d '{"query": "{ remediationAudits(first: 5) { nodes { name phase startTime } } }"}'</pre>
</body>
</html>
"""


def wants_page(accept: str) -> bool:
    """Whether an Accept header prefers a page to a GraphQL answer, as browsers do and `*/*` does not."""
    wanted = weights(accept)
    page = wanted.get("text/html", 0.0)
    return page > max(wanted.get(answer, 0.0) for answer in _ANSWERS) and page >= wanted.get("*/*", 0.0)


def graphiql_page(built: Path = BUILT) -> Response:
    """The GraphiQL page, or a plain one that says how to get it."""
    try:
        page = (built / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        page = _NOT_BUILT
    return HTMLResponse(page, headers=_PAGE_HEADERS)


def graphiql_assets(built: Path = BUILT) -> Mount:
    """Route to the scripts, workers and styles of the page, compressed, cached by browsers for good."""
    return Mount(
        "/graphiql/assets",
        app=_Assets(built / "assets"),
        middleware=[Middleware(GZipMiddleware, compresslevel=6)],
    )


class _Assets(StaticFiles):
    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, check_dir=False)
        self.config_checked = True  # `make ui` may run after the start; until then each file is a plain 404

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_ASSET_HEADERS)
        return response
