"""A real haproxy before services, with the configuration that docs/scaling.md shows."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.awaited import await_port, free_port

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
_SHOWN = re.compile(r"```haproxy\n(.*?)```", re.DOTALL)


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
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "haproxy.cfg"
        file.write_text(configuration(port, services))
        process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-q", "-f", str(file)])
        try:
            await_port(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()
