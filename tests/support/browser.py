"""A real browser: Debian's chromium, driven over the DevTools protocol on a pair of pipes."""

from __future__ import annotations

import base64
import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

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


def installed() -> str | None:
    """Where the browser is."""
    return shutil.which("chromium")


@contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """An empty page in a browser that was never used before."""
    executable = installed()
    assert executable, "chromium is needed: apt-get install chromium"
    browser = subprocess.Popen(
        ["sh", "-c", ON_PIPES, "sh", executable, f"--user-data-dir={profile}", *FLAGS],
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

    def type(self, text: str) -> None:
        """Types into what has the focus."""
        self._call("Input.insertText", text=text)

    def picture(self, file: Path) -> None:
        """What the page looks like now, as PNG."""
        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"]))

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
