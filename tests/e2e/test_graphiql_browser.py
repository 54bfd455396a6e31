"""GraphiQL in a real browser, against a started service."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy.engine import URL

from support import browser
from support.browser import Page
from support.client import CREATE
from support.postgres import cloned
from support.records import remediation_input
from support.service import Service, environment, started

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    browser.installed() is None and not os.environ.get("CI"),
    reason="no chromium on this machine (apt-get install chromium); CI has it",
)


@pytest.fixture(scope="module", autouse=True)
def built_ui() -> None:
    """The page's files, built if they are missing or out of date."""
    built = subprocess.run(
        [sys.executable, ROOT / "ui" / "build.py"], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr


@pytest.fixture
def own_service(server_url: URL, template: str) -> Iterator[Service]:
    """A service of its own, since it stores an audit that others would find."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(cloned(server_url, template)) as url,
        started(environment(url)) as service,
    ):
        yield service.await_start()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browser.opened(tmp_path) as page:
        yield page


def test_newcomer_runs_the_first_query(own_service: Service, page: Page) -> None:
    # given the page as a first visitor finds it, and an audit to look at
    origin = own_service.url
    assert own_service.ask(
        CREATE,
        input=remediation_input(
            remediationRequestId="browser-1", phase="COMPLETED", endTime="2026-01-01T12:01:30Z"
        ),
    )
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
    assert '"remediationRequestId": "browser-1"' in result
    assert '"durationMs": 90000' in result

    # and the documentation shows the schema
    page.run(
        "document.querySelector('.graphiql-sidebar button[aria-label=\"Show Documentation Explorer\"]').click()"
    )
    page.wait_for("document.querySelector('.graphiql-doc-explorer')?.innerText.includes('Query')")

    # and the editor's worker checks a query against it
    page.run(
        "document.querySelector('.graphiql-query-editor textarea, .graphiql-query-editor .inputarea').focus()"
    )
    page.type("nonsense ")
    page.wait_for("document.querySelector('.graphiql-query-editor .squiggly-error') !== null")

    # and all came from this service, the workers too, and nothing was refused or failed
    fetched = [url for url in page.requested + page.workers if not url.startswith("data:")]
    assert {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in fetched} == {origin}
    assert any("/graphql.worker-" in url for url in page.workers)
    assert page.complaints == []
