"""Places, processes and looks inside, for tests of the embedded server. Every server here is a real one."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from datastorage.db.embedded import open_embedded_server
from datastorage.db.embedded.account import server_account
from datastorage.db.embedded.server import EmbeddedServer

HOLDER = Path(__file__).with_name("holder.py")


@dataclass
class Holder:
    """Another process that uses the server; `ready` waits until it does."""

    process: subprocess.Popen[str]
    url: str = ""

    def ready(self) -> Holder:
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.stderr.read()
        return self

    def failure(self) -> str:
        _, said = self.process.communicate()
        assert self.process.returncode == 1, said
        return said

    def release(self) -> None:
        self.process.communicate("\n")
        assert self.process.returncode == 0

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may enter (pytest's own are closed to the server's account)."""
    with _open_place() as path:
        yield path


@pytest.fixture
def new_dir(place: Path) -> Path:
    """A data directory that does not exist yet."""
    return place / "new"


@pytest.fixture(scope="session")
def made_dir() -> Iterator[Path]:
    """A data directory after its first start, to be copied."""
    with _open_place() as path:
        open_embedded_server(path / "data", connections_max=10).release()
        yield path / "data"


@pytest.fixture
def data_dir(place: Path, made_dir: Path) -> Path:
    """A data directory in which a server has run before: quicker than a first start."""
    subprocess.run(["cp", "-a", made_dir, place / "data"], check=True)
    return place / "data"


@pytest.fixture
def hold(place: Path) -> Iterator[Callable[..., Holder]]:
    """Starts another process that opens the server; not waited for until `ready`."""
    holders: list[Holder] = []

    def start(
        data_dir: Path,
        *,
        connections_max: int = 10,
        user: str | None = None,
        variables: Mapping[str, str] | None = None,
        directory: Path = Path("/"),
    ) -> Holder:
        arguments: Sequence[str] = [str(data_dir), str(connections_max), *([user] if user else [])]
        process = subprocess.Popen(
            [sys.executable, str(HOLDER), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=directory,
            env={**os.environ, **(variables or {})},
            start_new_session=True,
        )
        holders.append(Holder(process))
        return holders[-1]

    yield start
    for holder in holders:
        with suppress(ProcessLookupError, ValueError):
            holder.kill()


@pytest.fixture
def open_server() -> Iterator[Callable[..., EmbeddedServer]]:
    """Opens the server in this process, and releases it when the test ends."""
    opened: list[EmbeddedServer] = []

    def start(data_dir: Path, *, connections_max: int = 10) -> EmbeddedServer:
        opened.append(open_embedded_server(data_dir, connections_max=connections_max))
        return opened[-1]

    yield start
    for server in opened:
        server.release()


@pytest.fixture
def query() -> Callable[[str, str], Any]:
    """Runs one statement at a URL, committed; the first value of its result."""

    async def run(url: str, statement: str) -> Any:
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.begin() as connection:
            result = await connection.exec_driver_sql(statement)
            value = result.scalar() if result.returns_rows else None
        await engine.dispose()
        return value

    return lambda url, statement: asyncio.run(run(url, statement))


@pytest.fixture
def postmaster() -> Callable[[Path], psutil.Process | None]:
    """The living server process of a data directory, found without the code under test."""

    def find(data_dir: Path) -> psutil.Process | None:
        wanted = ["-D", str(data_dir / "postgres-18")]
        found = {
            process.pid: process for process in psutil.process_iter() if _command(process)[1:3] == wanted
        }
        # A child looks like its parent until it has set its title.
        first = [process for process in found.values() if process.ppid() not in found]
        assert len(first) <= 1
        return first[0] if first else None

    return find


@pytest.fixture
def opened_by() -> Callable[[psutil.Process], set[str]]:
    """What a process of the server has open. Asked as its own account: root in a container may not look."""

    def links(process: psutil.Process) -> set[str]:
        command = ["sh", "-c", "readlink /proc/$0/fd/*", str(process.pid)]
        found = subprocess.run(
            command, capture_output=True, text=True, check=True, **server_account().process_options()
        )
        return set(found.stdout.splitlines())

    return links


@contextmanager
def _open_place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="ds-", dir=_base()))
    path.chmod(0o755)
    yield path
    left = [
        process for process in psutil.process_iter() if any(str(path) in word for word in _command(process))
    ]
    for process in left:
        with suppress(psutil.Error):
            process.send_signal(
                signal.SIGQUIT
            )  # an immediate stop, by which PostgreSQL takes its memory away
    for process in psutil.wait_procs(left, timeout=10)[1]:
        process.kill()
    for linked in path.rglob("run"):
        if linked.is_symlink():
            shutil.rmtree(linked.readlink(), ignore_errors=True)
    shutil.rmtree(path)


def _base() -> str:
    """Memory where there is enough of it: what is killed here are processes, so nothing depends on a disk."""
    memory = Path("/dev/shm")  # noqa: S108  (only a random directory is made in either place)
    if memory.is_dir():
        status = os.statvfs(memory)
        if status.f_bavail * status.f_frsize > 2 * 1024**3 and not status.f_flag & os.ST_NOEXEC:
            return str(memory)
    return "/tmp"  # noqa: S108


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
