"""A PostgreSQL server to kill, freeze and start again, and services to kill under load."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import psutil
from sqlalchemy.engine import URL

from support.process_host import ProcessHost
from support.servers import Server
from support.service import Service, environment, started

# A crash test on a server that syncs nothing would prove less.
SETTINGS = {"fsync": "on", "max_connections": "60"}


LOG_CHARS_TOLD = 6_000


class BreakableServer:
    """One server through its crashes."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def url(self, database: str = "postgres") -> URL:
        return self.server.url(database)

    def start(self) -> None:
        """Also after a crash: waits until it has recovered and accepts connections."""
        self.server.start(**SETTINGS)

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self.server.place / "log").read_text()

    @property
    def runs(self) -> bool:
        return bool(self._processes())

    def kill(self) -> None:
        """All its processes at once, as when the machine loses them. Killed already is killed."""
        processes = self._processes()
        self._each(processes, "kill")
        psutil.wait_procs(processes)

    def end(self) -> None:
        """In whatever state it is. What a crash leaves would be taken for a server that does not stop."""
        self.thaw()
        self.kill()
        (self.server.data / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """It keeps its connections, and the kernel takes new ones for it, but it answers nobody."""
        self._each(self._processes(), "suspend")

    def thaw(self) -> None:
        self._each(self._processes(), "resume")

    def _processes(self) -> list[psutil.Process]:
        """The postmaster first: it starts no more children while these are asked for."""
        try:
            number = int((self.server.data / "postmaster.pid").read_text().split("\n", 1)[0])
            postmaster = psutil.Process(number)
            if "postgres" not in postmaster.name():
                return []
            return [postmaster, *postmaster.children(recursive=True)]
        except (OSError, ValueError, psutil.Error):
            return []

    @staticmethod
    def _each(processes: list[psutil.Process], action: str) -> None:
        for process in processes:
            with suppress(psutil.Error):
                getattr(process, action)()


class Replicas:
    """Services on one database, each on a port that it keeps when it is started again."""

    def __init__(
        self, stack: ExitStack, host: ProcessHost, database: URL | Path, settings: dict[str, object]
    ) -> None:
        self._stack, self._host, self._database, self._settings = stack, host, database, settings
        self._ports: list[int] = []
        self.services: list[Service] = []

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self._ports]

    def add(self) -> Service:
        """One more, on its way."""
        self._ports.append(_free_port())
        self.services.append(self._starting(self._ports[-1]))
        return self.services[-1]

    @property
    def living(self) -> list[Service]:
        """Those that nobody has killed since."""
        return [service for service in self.services if service.process.poll() is None]

    def kill(self, number: int = 0) -> None:
        """`kill -9`."""
        self.services[number].kill()

    def end_and_start_again(self, number: int) -> int:
        """What a rollout does: SIGTERM, and a new process when the old one has ended; its exit code."""
        self.services[number].signal(signal.SIGTERM)
        code = self.services[number].wait()
        self.start_again(number)
        return code

    def start_again(self, number: int = 0) -> None:
        """What a supervisor does after a crash."""
        self.services[number] = self._starting(self._ports[number]).await_start()

    def _starting(self, port: int) -> Service:
        variables = environment(self._database, **self._settings)
        options = ("--port", str(port), "--metrics-port", "0")
        return self._stack.enter_context(started(variables, *options, host=self._host))


Serving: TypeAlias = Callable[..., AbstractContextManager[Replicas]]  # `replicas` beside one engine


@contextmanager
def replicas(
    database: URL | Path, *, host: ProcessHost, engine: str, number: int = 1, **settings: object
) -> Iterator[Replicas]:
    """Services with a second engine that end with the block."""
    with ExitStack() as stack:
        given = {"POOL_SIZE": 12, "VECTOR_ENGINE_URL": engine, **settings}
        services = Replicas(stack, host, database, given)
        for service in [services.add() for _ in range(number)]:
            service.await_start()
        try:
            yield services
        except BaseException:
            for service in services.services:
                print(service.said[-LOG_CHARS_TOLD:])  # noqa: T201 - pytest shows it with the failure
            raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
