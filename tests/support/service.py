"""A started `datastorage serve`, and other commands as processes of their own: what a user would run."""

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import URL

from support.process_host import STREAMS, Forked, ProcessHost

PATIENCE_S = 120  # two busy cores take long to start a process; nothing is measured
# Making a client costs more than a request, mostly for TLS; connections are not kept, as services come and go.
HTTP = httpx.Client(timeout=PATIENCE_S, limits=httpx.Limits(max_keepalive_connections=0))
COMMAND = (sys.executable, "-m", "datastorage")
_API = re.compile(r"GraphiQL +(https?://\S+)/graphql")
_METRICS = re.compile(r"Metrics +(http://\S+)/metrics")


def variables(database: URL | Path, **settings: object) -> dict[str, str]:
    """Our variables of a process: where its data is, and its settings by their names."""
    place = "DATA_DIR" if isinstance(database, Path) else "DATABASE_URL"
    where = str(database) if isinstance(database, Path) else database.render_as_string(hide_password=False)
    given = {place: where, "POOL_SIZE": 8, "DRAIN_S": 0, **settings}
    return {f"DATASTORAGE_{name}": str(value) for name, value in given.items()}


def environment(database: URL | Path, **settings: object) -> dict[str, str]:
    """All variables of a process; of ours, only these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATASTORAGE_")}
    return inherited | variables(database, **settings)


@dataclass
class Service:
    """One service: its processes, its addresses, and all it has said."""

    process: subprocess.Popen[bytes] | Forked
    place: Path
    variables: Mapping[str, str]
    url: str = ""
    metrics_url: str = ""
    data_dir: Path | None = None
    trusting: ssl.SSLContext | bool = True

    @property
    def said(self) -> str:
        """Standard error so far: the logs."""
        return (self.place / "stderr").read_text()

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that serve, where there are several."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(_command(child))]

    @property
    def _http(self) -> httpx.Client:
        return HTTP if self.trusting is True else httpx.Client(timeout=PATIENCE_S, verify=self.trusting)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer to a GraphQL document."""
        body = {"query": query, "variables": variables}
        answer = self._answer("POST", "/graphql", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def probe(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body of a probe."""
        answer = self._answer("GET", path)
        return answer.status_code, answer.json()

    def _answer(self, method: str, path: str, **given: Any) -> httpx.Response:
        if self.trusting is True:
            return HTTP.request(method, f"{self.url}{path}", **given)
        with httpx.Client(timeout=PATIENCE_S, verify=self.trusting) as once:
            return once.request(method, f"{self.url}{path}", **given)

    def metrics(self) -> list[Metric]:
        """Everything on the metrics port, read the way Prometheus does."""
        answer = HTTP.get(f"{self.metrics_url}/metrics")
        assert answer.status_code == 200, answer.text
        return list(text_string_to_metric_families(answer.text))

    def sample(self, name: str, **labels: str) -> float | None:
        """The value of one series."""
        found = [s for m in self.metrics() for s in m.samples if s.name == name and s.labels == labels]
        assert len(found) <= 1, found
        return found[0].value if found else None

    def signal(self, number: signal.Signals) -> None:
        """To the process that was started, as a supervisor would send it."""
        self.process.send_signal(number)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """The exit code."""
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        """Without warning, with all workers: the machine's view of `kill -9`."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def await_start(self) -> "Service":
        """Reads the addresses it prints, and waits until it answers."""
        wait_until(self._announced)
        printed = (self.place / "stdout").read_text()
        self.url, self.metrics_url = _API.search(printed)[1], _METRICS.search(printed)[1]
        assert self.probe("/health")[0] == 200
        return self

    def _announced(self) -> bool:
        assert self.process.poll() is None, self.said
        return _METRICS.search((self.place / "stdout").read_text()) is not None


@contextmanager
def started(
    variables: Mapping[str, str],
    *options: str,
    command: Sequence[str] = COMMAND,
    host: ProcessHost | None = None,
) -> Iterator[Service]:
    """A service on free ports, forked where there is a host; whatever the test does, it ends."""
    place = Path(tempfile.mkdtemp(prefix="ds-service-"))
    arguments = ["serve", *(options or ("--port", "0", "--metrics-port", "0"))]
    for said in STREAMS:
        (place / said).touch()
    if host is None:
        process = _spawned(command, arguments, variables, place)
    else:
        process = host.start(["datastorage", *arguments], variables, place)
    service = Service(process, place, variables)
    try:
        yield service
    finally:
        service.kill()
        shutil.rmtree(place)


def service_host() -> ProcessHost:
    """Starts services, where tests need many."""
    return ProcessHost("datastorage.cli:main", "datastorage.app", "datastorage.cli.serve", "pymilvus")


def _spawned(
    command: Sequence[str], arguments: Sequence[str], variables: Mapping[str, str], place: Path
) -> subprocess.Popen[bytes]:
    with (place / "stdout").open("wb") as out, (place / "stderr").open("wb") as err:
        return subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=dict(variables),
            cwd=place,
            start_new_session=True,
        )


@contextmanager
def data_place() -> Iterator[Path]:
    """A place for data directories; servers that a killed service left there are ended."""
    place = Path(tempfile.mkdtemp(prefix="ds-", dir="/tmp"))
    place.chmod(0o755)  # the account of root's PostgreSQL must pass
    try:
        yield place
    finally:
        for process in postgres_processes(place):
            with suppress(psutil.Error):
                process.kill()
        for linked in place.rglob("run"):
            if linked.is_symlink():
                shutil.rmtree(linked.readlink(), ignore_errors=True)
        shutil.rmtree(place)


def postgres_processes(place: Path) -> list[psutil.Process]:
    """The server below a place, with its children."""
    servers = [
        process for process in psutil.process_iter() if any(str(place) in w for w in _command(process))
    ]
    return [process for server in servers for process in (server, *server.children(recursive=True))]


def wait_until(holds: Any, timeout_s: float = PATIENCE_S) -> None:
    """Waits until something is true."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"never true: {holds}"
        time.sleep(0.05)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
