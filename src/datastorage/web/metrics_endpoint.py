"""`/metrics` on a port of its own: this process's metrics, or the sum over all workers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from prometheus_client import REGISTRY, CollectorRegistry, Metric, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from datastorage.errors import StartupError
from datastorage.settings import Settings

FILES_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


def use_multiprocess_files() -> None:
    """Has the workers that are started from now on keep their values in files that can be summed."""
    directory = tempfile.TemporaryDirectory(prefix="datastorage-metrics-")
    os.environ[FILES_VARIABLE] = directory.name
    _KEPT.append(directory)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []  # removed when the process ends


@contextmanager
def serving_metrics(settings: Settings) -> Iterator[str]:
    """Serves the metrics in a thread; yields the URL. Errors: StartupError if the port is taken."""
    try:
        server, thread = start_http_server(settings.metrics_port, settings.metrics_host, _registry(settings))
    except OSError as error:
        raise StartupError(
            f"cannot listen on {settings.metrics_host}:{settings.metrics_port} for the metrics "
            f"({error.strerror or error}); choose another port with --metrics-port or DATASTORAGE_METRICS_PORT"
        ) from None
    try:
        yield f"http://{settings.metrics_host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _registry(settings: Settings) -> CollectorRegistry:
    if settings.workers == 1:
        return REGISTRY
    registry = CollectorRegistry()
    registry.register(AllWorkers(Path(os.environ[FILES_VARIABLE])))
    return registry


class AllWorkers:
    """The sum over all workers; a worker that died no longer counts in gauges, but its counts stay."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sum = MultiProcessCollector(CollectorRegistry(), str(directory))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        """Everything there is."""
        for file in self._directory.glob("gauge_live*_*.db"):
            if not _lives(int(file.stem.rpartition("_")[2])):
                file.unlink(missing_ok=True)  # another reader may be doing the same
        return self._sum.collect()  # type: ignore[no-untyped-call, no-any-return]


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
