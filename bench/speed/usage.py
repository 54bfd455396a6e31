"""What processes use: CPU time and memory of a process with its children."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import psutil


def cpu_s(pid: int) -> float:
    """CPU seconds so far of a process and its children, those that have ended included."""
    total = 0.0
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def peak_mb(pid: int) -> float:
    """The most memory that a process and its children have held, each by itself."""
    total = 0.0
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(OSError, psutil.Error):
                status = Path(f"/proc/{process.pid}/status").read_text()
                found = re.search(r"VmHWM:\s+(\d+) kB", status)
                total += int(found[1]) / 1024 if found else 0.0
    return total
