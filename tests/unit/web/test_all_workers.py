"""The sum over worker processes, from the files that they keep their values in."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from datastorage.web.metrics_endpoint import AllWorkers

DEAD = 2**22 + 1  # beyond the largest pid of Linux


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two workers that live, and one that has died."""
    for pid in (os.getpid(), os.getppid(), DEAD):
        write(tmp_path / f"counter_{pid}.db", "a_total", 2)
        write(tmp_path / f"gauge_livesum_{pid}.db", "b", 1)
    return tmp_path


def write(file: Path, name: str, value: float) -> None:
    values = MmapedDict(str(file))
    values.write_value(mmap_key(name.removesuffix("_total"), name, (), (), "help"), value, 0)
    values.close()


def summed(workers: AllWorkers) -> dict[str, float]:
    return {sample.name: sample.value for metric in workers.collect() for sample in metric.samples}


def test_counts_of_a_dead_worker_stay_and_its_gauges_go(files: Path) -> None:
    assert summed(AllWorkers(files)) == {"a_total": 6, "b": 2}


def test_a_worker_that_waits_to_be_reaped_is_dead(files: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as worker:
        worker.stdout.read()  # it has ended, and nobody has asked how
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
        write(files / f"gauge_livesum_{worker.pid}.db", "b", 1)

        assert summed(AllWorkers(files))["b"] == 2


def test_two_that_read_at_once_get_the_same(files: Path) -> None:
    for number in range(200):
        write(files / f"gauge_livesum_{DEAD + number}.db", "b", 1)

    workers = AllWorkers(files)

    with ThreadPoolExecutor(8) as readers:
        seen = list(readers.map(summed, [workers] * 8))

    assert seen == [{"a_total": 6, "b": 2}] * 8
