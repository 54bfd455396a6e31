"""Takes the pictures of the documentation from a running service that has the demo data.

    datastorage serve & datastorage demo
    python docs/images/take_pictures.py [URL]

Needs chromium.
"""

import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from support import browser  # noqa: E402


def graphiql(url: str) -> None:
    """GraphiQL after the search for similar incidents."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        browser.opened(Path(profile)) as page,
    ):
        page.open(f"{url}/graphql")
        page.wait_for("document.querySelectorAll('.graphiql-tab').length === 3")
        page.wait_for("document.querySelector('.graphiql-query-editor .view-line')?.innerText.length > 0")
        page.run("document.querySelectorAll('.graphiql-tab')[2].querySelector('button').click()")
        page.wait_for("document.querySelector('.graphiql-query-editor').textContent.includes('hits')")
        time.sleep(2)  # the editor learns the operation's name a moment after showing it
        page.run("document.querySelector('.graphiql-execute-button').click()")
        page.wait_for("document.querySelector('.result-window').innerText.includes('similarity')")
        time.sleep(1)  # colours come last
        page.picture(HERE / "graphiql.png")


if __name__ == "__main__":
    graphiql(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080")
