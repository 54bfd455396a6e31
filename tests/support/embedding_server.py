"""An embedding endpoint in a process of its own, which answers rightly or in one of many wrong ways.

`python -m support.embedding_server PORT` is the server; `EmbeddingServer` starts, instructs and kills it.
"""

import hashlib
import json
import math
import signal
import socket
import subprocess
import sys
import time
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

DIMENSIONS = 8
MODEL = "model-of-the-test"
KEY = "sk-test-0123456789abcdef0123456789abcdef"
HANGS_S = 60
HANDED_ON = ("traceparent", "x-request-id")
PATIENCE_S = 60


class Manner(StrEnum):
    """How the endpoint answers."""

    RIGHTLY = "rightly"
    SHUFFLED = "shuffled"  # in another order; `index` says which
    LIMITED = "limited"  # 429
    BROKEN = "broken"  # 500
    HANGING = "hanging"
    DENYING = "denying"  # 401, and repeats the key
    WRONG_DIMENSIONS = "wrong_dimensions"
    NOT_NUMBERS = "not_numbers"
    NULLS = "nulls"
    HUGE = "huge"
    ZEROS = "zeros"
    TOO_FEW = "too_few"
    NO_JSON = "no_json"
    PICKY = "picky"  # 413 for a batch that has a long text


REFUSALS = {
    Manner.LIMITED: (429, '{"error": {"message": "too many requests"}}'),
    Manner.BROKEN: (500, "<html>oops</html>"),
    Manner.DENYING: (401, json.dumps({"error": {"message": f"no such key: {KEY}"}})),
    Manner.NO_JSON: (200, "<html>"),
    Manner.PICKY: (413, json.dumps({"error": f"too long, {KEY}"})),
}
WRONG_VALUES: dict[Manner, list[Any]] = {
    Manner.NOT_NUMBERS: [math.nan],
    Manner.NULLS: [None],
    Manner.HUGE: [1e300],
    Manner.ZEROS: [0.0],
}


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A direction that depends on nothing but the text; not of length 1."""
    digest = hashlib.sha256(text.encode()).digest() * (dimensions // 32 + 1)
    return [byte - 127.5 for byte in digest[:dimensions]]


class EmbeddingServer:
    """One endpoint on one port, through all its restarts."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> "EmbeddingServer":
        """Waits until it answers; it begins by answering rightly."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.embedding_server", str(self.port)], cwd=Path(__file__).parents[1]
        )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/asked")
            except httpx.TransportError:
                time.sleep(0.02)
            else:
                return self
        raise AssertionError("the embedding server does not answer")

    def answer(self, manner: Manner, *, times: int = -1, retry_after: str = "") -> None:
        """From now on, or for so many calls, after which it answers rightly."""
        told = {"manner": manner, "times": times, "retry_after": retry_after}
        httpx.post(f"http://127.0.0.1:{self.port}/manner", json=told).raise_for_status()

    def asked(self) -> list[dict[str, Any]]:
        """The bodies of all calls since its start, in order, each with its headers."""
        return httpx.get(f"http://127.0.0.1:{self.port}/asked").json()

    def kill(self) -> None:
        """Without warning. Killed already is killed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    manner, times, retry_after = Manner.RIGHTLY, -1, ""
    calls: list[dict[str, Any]] = []  # noqa: RUF012 -- of the whole process

    def do_GET(self) -> None:
        self._say(200, json.dumps(Handler.calls))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/manner":
            Handler.manner, Handler.times = Manner(body["manner"]), body["times"]
            Handler.retry_after = body["retry_after"]
            self._say(200, "{}")
            return
        handed_on = {name: self.headers[name] for name in HANDED_ON if name in self.headers}
        authorization = self.headers.get("authorization")
        Handler.calls.append({**body, "path": self.path, "authorization": authorization, **handed_on})
        manner = Handler.manner
        Handler.times -= 1
        if Handler.times == 0:
            Handler.manner = Manner.RIGHTLY
        self._answer(manner, body["input"], body.get("dimensions", DIMENSIONS))

    def _answer(self, manner: Manner, texts: list[str], dimensions: int) -> None:
        if manner in REFUSALS and (manner is not Manner.PICKY or any(len(text) > 100 for text in texts)):
            self._say(*REFUSALS[manner])
            return
        if manner is Manner.HANGING:
            time.sleep(HANGS_S)
        rows = [
            {"index": place, "embedding": vector_of(text, dimensions)} for place, text in enumerate(texts)
        ]
        if manner is Manner.SHUFFLED:
            rows.reverse()
        if manner is Manner.TOO_FEW:
            rows.pop()
        if manner in WRONG_VALUES:
            rows[-1]["embedding"] = WRONG_VALUES[manner] * dimensions
        if manner is Manner.WRONG_DIMENSIONS:
            rows[-1]["embedding"] = vector_of("x", dimensions + 1)
        self._say(200, json.dumps({"object": "list", "data": rows}))

    def _say(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body.encode())))
        if status == 429 and Handler.retry_after:
            self.send_header("retry-after", Handler.retry_after)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
