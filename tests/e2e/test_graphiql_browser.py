"""GraphiQL in a real browser: Debian's chromium, driven over the DevTools protocol on a pair of pipes."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from datastorage.web.graphiql import graphiql_assets, graphiql_page, wants_page

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60  # a loaded machine takes long to start a browser; nothing is measured

FLAGS = (
    "--headless",
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--window-size=1400,900",
    "--remote-debugging-pipe",
    "about:blank",
)
# The browser reads commands from file 3 and answers on file 4.
ON_PIPES = 'exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null'


@strawberry.type
class Audit:
    remediation_request_id: str = "rr-1"
    namespace: str = "shop"
    name: str = "restart-checkout"
    phase: str = "COMPLETED"
    status: str = "SUCCESS"
    severity: str = "HIGH"
    action_type: str = "restart_pod"
    target_resource: str = "Deployment/checkout"
    start_time: str = "2026-11-23T05:00:00Z"
    duration_ms: int = 90_000


@strawberry.type
class Audits:
    nodes: list[Audit]


@strawberry.type
class Query:
    @strawberry.field
    def remediation_audits(self, first: int = 20) -> Audits:
        return Audits(nodes=[Audit()] * min(first, 1))


SCHEMA = strawberry.Schema(Query)


async def graphql(request: Request) -> Response:
    if request.method == "GET" and wants_page(request.headers["accept"]):
        return graphiql_page()
    operation = await request.json()
    answer = await SCHEMA.execute(operation["query"], operation.get("variables"))
    return JSONResponse({"data": answer.data, "errors": [error.formatted for error in answer.errors or ()]})


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Serve the page and a small schema on a free port."""
    built = subprocess.run(
        [sys.executable, ROOT / "ui" / "build.py"], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    app = Starlette(routes=[Route("/graphql", graphql, methods=["GET", "POST"]), graphiql_assets()])
    server = uvicorn.Server(uvicorn.Config(app, port=0, ws="none", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """An empty page in a browser that was never used before."""
    executable = shutil.which("chromium")
    assert executable, "This test needs Debian's chromium: apt-get install chromium"
    browser = subprocess.Popen(
        ["sh", "-c", ON_PIPES, "sh", executable, f"--user-data-dir={tmp_path}", *FLAGS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        page = Page(browser)
        yield page
        page.close()
        browser.wait(PATIENCE_S)
    finally:
        browser.kill()
        browser.communicate()


class Page:
    """One page of the browser, with everything it and its workers asked for and complained about."""

    def __init__(self, browser: subprocess.Popen[bytes]) -> None:
        self._browser = browser
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._last_id = 0
        self.requested: list[str] = []
        self.complaints: list[str] = []
        self.workers: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._watch(self._session)
        self._call("Page.enable")

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.run(script):
            assert time.monotonic() < deadline, f"never true: {script}; complaints: {self.complaints}"
            time.sleep(0.1)

    def text(self, selector: str) -> str:
        """The text a reader sees; the editor draws spaces that do not break."""
        return cast("str", self.run(f"document.querySelector({selector!r}).innerText")).replace("\xa0", " ")

    def close(self) -> None:
        self._send("Browser.close")

    def _watch(self, session: str) -> None:
        for domain in ("Network", "Runtime", "Log"):
            self._send(f"{domain}.enable", session)
        self._send(
            "Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=True, flatten=True
        )
        self._send("Runtime.runIfWaitingForDebugger", session)

    def _call(self, method: str, **params: object) -> dict[str, Any]:
        sent = self._send(method, getattr(self, "_session", None), **params)
        while True:
            message = self._messages.get(timeout=PATIENCE_S)
            if message.get("id") == sent:
                assert "error" not in message, message["error"]
                return cast("dict[str, Any]", message["result"])
            if "method" in message:
                self._note(message["method"], message["params"])

    def _send(self, method: str, session: str | None = None, **params: object) -> int:
        self._last_id += 1
        command: dict[str, object] = {"id": self._last_id, "method": method, "params": params}
        if session:
            command["sessionId"] = session
        assert self._browser.stdin
        self._browser.stdin.write(json.dumps(command).encode() + b"\0")
        self._browser.stdin.flush()
        return self._last_id

    def _read(self) -> None:
        assert self._browser.stdout
        rest = b""
        while chunk := self._browser.stdout.read1():
            *messages, rest = (rest + chunk).split(b"\0")
            for message in messages:
                self._messages.put(json.loads(message))

    def _note(self, event: str, params: dict[str, Any]) -> None:
        match event:
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(json.dumps(params["entry"]))
            case "Target.attachedToTarget":
                if params["targetInfo"]["type"] == "worker":
                    self.workers.append(params["targetInfo"]["url"])
                self._watch(params["sessionId"])


def test_newcomer_runs_the_first_query(origin: str, page: Page) -> None:
    # given the page as a first visitor finds it
    page.open(f"{origin}/graphql")
    page.wait_for("document.querySelector('.graphiql-query-editor .view-line')?.innerText.length > 0")
    assert page.run("document.title") == "Data Storage Service"
    tabs = page.run("[...document.querySelectorAll('.graphiql-tab')].map(tab => tab.innerText.trim())")
    assert tabs == ["NewestRemediations", "StoreRemediation", "SimilarIncidents"]
    assert "query NewestRemediations {" in page.text(".graphiql-query-editor .view-lines")

    # when the first query runs
    page.run("document.querySelector('.graphiql-execute-button').click()")

    # then its result is shown
    page.wait_for("document.querySelector('.result-window').innerText.includes('durationMs')")
    result = page.text(".result-window .view-lines")
    assert '"remediationRequestId": "rr-1"' in result
    assert '"durationMs": 90000' in result

    # and the documentation shows the schema
    page.run(
        "document.querySelector('.graphiql-sidebar button[aria-label=\"Show Documentation Explorer\"]').click()"
    )
    page.wait_for("document.querySelector('.graphiql-doc-explorer')?.innerText.includes('Query')")

    # and the editor's worker checks against it: this small schema has no mutations
    page.run("document.querySelectorAll('.graphiql-tab')[1].querySelector('button').click()")
    page.wait_for("document.querySelector('.graphiql-query-editor .squiggly-error') !== null")

    # and all came from this service, the workers too, and nothing was refused or failed
    fetched = [url for url in page.requested + page.workers if not url.startswith("data:")]
    assert {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in fetched} == {origin}
    assert any("/graphql.worker-" in url for url in page.workers)
    assert page.complaints == []
