"""What is known of the server from outside: its pid file, its processes and whether it answers.

A pid alone proves nothing: after a crash or a reboot it may belong to an unrelated process.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import structlog

from datastorage.db.embedded.account import Account
from datastorage.db.embedded.directory import DataDirectory

SOCKET_NAME: Final = ".s.PGSQL.5432"  # the port is only a part of this name: nothing listens on TCP
ORPHAN_WAIT_S: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The server's first process, as its pid file describes it."""

    pid: int
    socket_dir: Path | None
    status: str

    @property
    def is_ready(self) -> bool:
        """Whether it accepts reads and writes."""
        return self.status == "ready" and self.socket_dir is not None

    @property
    def is_starting(self) -> bool:
        """Whether it starts or recovers; "standby" is what a recovery from an archive says on its way."""
        return self.status in {"starting", "standby"}


def running_postmaster(directory: DataDirectory, account: Account) -> Postmaster | None:
    """The server of this data directory, if it lives."""
    recorded = recorded_postmaster(directory)
    if recorded is None or not _is_postmaster(recorded.pid, directory, account):
        return None
    return recorded


def recorded_postmaster(directory: DataDirectory) -> Postmaster | None:
    """The server that the pid file names, dead or alive."""
    with suppress(OSError, ValueError, IndexError):
        lines = (directory.cluster / "postmaster.pid").read_text().splitlines()
        socket_dir = lines[4].strip() if len(lines) > 4 else ""  # noqa: PLR2004  (PostgreSQL's file format)
        status = lines[7].strip() if len(lines) > 7 else "starting"  # noqa: PLR2004
        return Postmaster(int(lines[0]), Path(socket_dir) if socket_dir else None, status)
    return None


def answers(socket_dir: Path) -> bool:
    """Whether any process listens on the socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_dir / SOCKET_NAME))
        except OSError:
            return False
    return True


def remove_misleading_locks(directory: DataDirectory, account: Account, socket_dir: Path) -> None:
    """Deletes lock files of a dead server whose pid lives on in another process.

    PostgreSQL itself tells a stale file only by a dead pid, and would refuse to start.
    """
    for path in (directory.cluster / "postmaster.pid", socket_dir / f"{SOCKET_NAME}.lock"):
        with suppress(OSError, ValueError, IndexError):
            pid = int(path.read_text().splitlines()[0])
            if pid > 0 and psutil.pid_exists(pid) and not _is_postmaster(pid, directory, account):
                log.warning("removed a lock file of a dead server", path=str(path), pid=pid)
                path.unlink()


def end_orphans(directory: DataDirectory, account: Account) -> None:
    """Ends what a killed postmaster left running: a new server may not start beside it."""
    orphans = [process for process in psutil.process_iter() if _is_child(process, directory, account)]
    for orphan in orphans:
        with suppress(psutil.Error):
            orphan.send_signal(signal.SIGQUIT)  # what the postmaster itself sends when it stops at once
    _, stubborn = psutil.wait_procs(orphans, timeout=ORPHAN_WAIT_S)
    for orphan in stubborn:
        log.warning("killed a process of a dead server", pid=orphan.pid)
        with suppress(psutil.Error):
            orphan.kill()
    psutil.wait_procs(stubborn, timeout=ORPHAN_WAIT_S)


def _is_postmaster(pid: int, directory: DataDirectory, account: Account) -> bool:
    try:
        process = psutil.Process(pid)
        words = process.cmdline()  # empty for a zombie
        return process.uids().effective == account.uid and words[1:3] == ["-D", os.fspath(directory.cluster)]
    except (psutil.Error, ValueError):
        return False


def _is_child(process: psutil.Process, directory: DataDirectory, account: Account) -> bool:
    # By its title, because root in a container may not look at another user's working directory.
    try:
        words = process.cmdline()
        title = f"postgres: {directory.cluster_name}: "
        return bool(words) and words[0].startswith(title) and process.uids().effective == account.uid
    except psutil.Error:
        return False
