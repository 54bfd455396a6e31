"""Servers that are programs of others: waiting until one listens."""

import socket
import subprocess
import time

PATIENCE_S = 60


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until the process listens there."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, f"{process.args} has ended"
        assert time.monotonic() < deadline, f"{process.args} does not listen"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
