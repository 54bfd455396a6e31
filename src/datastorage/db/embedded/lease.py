"""File locks by which the processes of one data directory share its server.

The kernel frees them when a process dies, however it dies. They belong to an open file description, so
none may be inherited by a program that is started: Python opens files that way, and programs.py closes all.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

from datastorage.db.embedded.account import Account
from datastorage.errors import EmbeddedServerError

POLL_S: Final = 0.05
PROGRESS_S: Final = 5.0

log = structlog.get_logger(__name__)


class Lease:
    """One use of the server: a shared lock, held until closed."""

    def __init__(self, path: Path, account: Account) -> None:
        self._descriptor: int | None = _open(path, account)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    @property
    def held(self) -> bool:
        """Whether the lease has not been closed yet."""
        return self._descriptor is not None

    def is_sole(self) -> bool:
        """Whether no one else holds a lease; true only as long as the start lock is held."""
        if self._descriptor is None:
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sole = False
        else:
            sole = True
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)  # a failed conversion has dropped the shared lock too
        return sole

    def close(self) -> None:
        """Gives the lease up."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # Unlocked and not just closed: a child between fork and exec may still hold a copy.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


@contextmanager
def start_lock(path: Path, account: Account, *, wait_s_max: float) -> Iterator[None]:
    """Holds the right to start or stop the server. Errors: EmbeddedServerError when others keep it too long."""
    descriptor = _open(path, account)
    try:
        _lock_exclusively(descriptor, path, wait_s_max)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _lock_exclusively(descriptor: int, path: Path, wait_s_max: float) -> None:
    started = time.monotonic()
    report_at_s = PROGRESS_S
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        waited_s = time.monotonic() - started
        if waited_s > wait_s_max:
            raise EmbeddedServerError(
                f"another process has been starting or stopping the embedded PostgreSQL for {waited_s:.0f} s; "
                f"find it with: fuser {path}"
            )
        if waited_s > report_at_s:
            report_at_s += PROGRESS_S
            log.info(
                "waiting for another process to start or stop the embedded PostgreSQL",
                waited_s=round(waited_s),
            )
        time.sleep(POLL_S)


def _open(path: Path, account: Account) -> int:
    with suppress(FileExistsError):
        created = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        account.own(created)
        return created
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
