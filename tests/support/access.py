"""The API as it authenticates, and a provider of identities that answers over HTTP or HTTPS."""

import json
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from datastorage.app import query_limits
from datastorage.graphql.schema import build_schema
from datastorage.services.dependencies import Dependencies
from datastorage.services.health import Health
from datastorage.settings import Settings
from datastorage.web.application import build_application
from support.client import Answer

LIST = "{ remediationAudits { nodes { name } } }"
Answering = Callable[[str, dict[str, str], bytes], tuple[int, Any]]  # path, headers, body → status, JSON


class Service:
    """The API, asked by whoever the headers say."""

    def __init__(self, http: httpx.AsyncClient, app: Any) -> None:
        self.http, self.app = http, app

    async def ask(self, query: str = LIST, headers: dict[str, str] | None = None, **variables: Any) -> Answer:
        """Executes a document."""
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        return Answer(response.status_code, response.json())


@asynccontextmanager
async def served(
    deps: Dependencies,
    *,
    address: str = "203.0.113.7",
    extensions: dict[str, Any] | None = None,
    **values: Any,
) -> AsyncIterator[Service]:
    """The API with these settings, as requests from an address reach it."""
    settings = Settings(_env_file=None, pool_size=9, **values)
    app = build_application(build_schema(query_limits(settings)), settings)
    app.state.deps, app.state.health = deps, Health(deps.database)

    async def entered(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"extensions": extensions or {}}, receive, send)

    transport = httpx.ASGITransport(entered, client=(address, 40_000))
    async with (
        app.state.authentication.running(),
        httpx.AsyncClient(transport=transport, base_url="http://test") as http,
        AsyncExitStack() as opened,
    ):
        opened.push_async_callback(app.state.rate_limits.close)
        opened.push_async_callback(app.state.documents.close)
        yield Service(http, app)


class IdentityServer:
    """Answers as the test wants, and remembers what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answer: Answering = lambda _path, _headers, _body: (404, {})
        self.asked: list[str] = []


@contextmanager
def identity_server(certificate: Path | None = None) -> Iterator[IdentityServer]:
    """A server on loopback; over TLS with a certificate (and its key) from a file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            known.asked.append(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, document = known.answer(self.path, headers, body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme, host = "http", "127.0.0.1"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme, host = "https", "localhost"
    known = IdentityServer(f"{scheme}://{host}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
