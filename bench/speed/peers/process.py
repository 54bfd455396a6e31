"""A server as a process: started, waited for, and surely ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.speed.wrk import RunFailed

PATIENCE_S: Final = 120.0
END_PATIENCE_S: Final = 10.0


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str
    pid: int
    log: Path


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], port: int, log: Path
) -> Iterator[Running]:
    """Until the block is left. Of our own variables a server has only those given. Errors: RunFailed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATASTORAGE_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**inherited, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us, and we end it then
        )
    try:
        _await(process, port, log)
        yield Running(f"http://127.0.0.1:{port}", process.pid, log)
    finally:
        _end(process)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RunFailed(f"{process.args} has ended:\n{log.read_text()[-2000:]}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RunFailed(f"{process.args} has not started:\n{log.read_text()[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asked first, so that it lets go of its connections."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_PATIENCE_S)
            return
