"""A real haproxy before services, with the configuration that docs/scaling.md shows."""

import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
_SHOWN = re.compile(r"```haproxy\n(.*?)```", re.DOTALL)
PATIENCE_S = 60


def configuration(port: int, services: Sequence[int]) -> str:
    """That of the page, on this port, with these services instead of its own."""
    found = _SHOWN.search(PAGE.read_text())
    assert found is not None
    shown = re.sub(r"bind \S+", f"bind 127.0.0.1:{port}", found[1])
    servers = "".join(f"    server replica-{place} 127.0.0.1:{each}\n" for place, each in enumerate(services))
    return re.sub(r"(    server .*\n)+", servers, shown)


@contextmanager
def haproxy(services: Sequence[int]) -> Iterator[str]:
    """Its address, once it sees all services."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "haproxy.cfg"
        file.write_text(configuration(port, services))
        process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-q", "-f", str(file)])
        try:
            _await(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, "haproxy has ended"
        assert time.monotonic() < deadline, "haproxy does not listen"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
