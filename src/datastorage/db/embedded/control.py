"""Starting, awaiting and stopping the server process. Every call is made under the start lock."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from typing import Final

import structlog

from datastorage.db.embedded.cluster import DATABASE, SUPERUSER
from datastorage.db.embedded.directory import DataDirectory
from datastorage.db.embedded.faults import command_failed, start_failed
from datastorage.db.embedded.postmaster import Postmaster, running_postmaster
from datastorage.db.embedded.programs import QUERY_TIMEOUT_S, Programs
from datastorage.errors import EmbeddedServerError
from datastorage.limits import (
    EMBEDDED_LOG_BYTES_MAX,
    EMBEDDED_START_WAIT_S_MAX,
    EMBEDDED_STOP_FAST_S_MAX,
    EMBEDDED_STOP_IMMEDIATE_S_MAX,
)

POLL_S: Final = 0.05
PROGRESS_S: Final = 5.0
STOP_MODES: Final = (("fast", EMBEDDED_STOP_FAST_S_MAX), ("immediate", EMBEDDED_STOP_IMMEDIATE_S_MAX))

log = structlog.get_logger(__name__)


def start_server(directory: DataDirectory, programs: Programs) -> Postmaster:
    """Starts the server and waits until it accepts connections, after a crash as long as recovery takes.

    Errors: EmbeddedServerError with what the server has logged since.
    """
    open_server_log(directory, programs)
    log_start = directory.server_log.stat().st_size
    # pg_ctl hands the line to a shell: our path goes through it quoted, the log's by its name alone.
    starter = programs.start(
        "pg_ctl", "start", "--silent", "--wait", f"--timeout={EMBEDDED_START_WAIT_S_MAX}",
        f"--log={directory.server_log.name}", "-o", f"-D {shlex.quote(str(directory.cluster))}",
        directory=directory.path, variables={"PGDATA": str(directory.cluster)},
    )  # fmt: skip
    output = _await_starter(starter, directory)
    server = await_server(directory, programs)
    if server is None or not server.is_ready:
        raise start_failed(directory.path, _log_since(directory, log_start) or output)
    log.info("started the embedded PostgreSQL", pid=server.pid, data_dir=str(directory.path))
    return server


def await_server(directory: DataDirectory, programs: Programs) -> Postmaster | None:
    """Waits while the server is starting; None when it is not running, or ended on the way.

    Errors: EmbeddedServerError when it takes too long.
    """
    started = time.monotonic()
    report_at_s = PROGRESS_S
    while (server := running_postmaster(directory, programs.account)) and server.is_starting:
        waited_s = time.monotonic() - started
        if waited_s > EMBEDDED_START_WAIT_S_MAX:
            raise EmbeddedServerError(
                f"the embedded PostgreSQL in {directory.path} is still recovering after {waited_s:.0f} s; "
                f"it goes on by itself: follow {directory.server_log}, and start again when it is ready"
            )
        if waited_s > report_at_s:
            report_at_s += PROGRESS_S
            _report_start(directory, waited_s)
        time.sleep(POLL_S)
    return server


def stop_server(directory: DataDirectory, programs: Programs) -> bool:
    """Stops the server; at once and without a checkpoint where the clean way takes too long. Loses nothing.

    Whether it has stopped. Errors: OSError.
    """
    for mode, wait_s_max in STOP_MODES:
        server = running_postmaster(directory, programs.account)
        if server is None:
            return True
        outcome = programs.run("pg_ctl", "stop", "-D", str(directory.cluster), "--silent", "--wait",
                               f"--mode={mode}", f"--timeout={wait_s_max}")  # fmt: skip
        if outcome.ok:
            log.info("stopped the embedded PostgreSQL", mode=mode, data_dir=str(directory.path))
            return True
        log.warning(
            "the embedded PostgreSQL does not stop", mode=mode, pid=server.pid, said=outcome.output.strip()
        )
    return running_postmaster(directory, programs.account) is None


def allowed_connections(programs: Programs, server: Postmaster) -> int:
    """How many connections the running server allows; proves as well that it answers.

    Errors: EmbeddedServerError.
    """
    attempt, place = "asking the embedded PostgreSQL", server.socket_dir
    assert place is not None  # noqa: S101  (a server that is ready has a socket)
    try:
        outcome = programs.run(
            "psql", "--no-psqlrc", "--no-password", "--tuples-only", "--no-align", f"--host={place}", "--port=5432",
            f"--username={SUPERUSER}", f"--dbname={DATABASE}", "--command=SHOW max_connections",
            timeout_s=QUERY_TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise command_failed(attempt, place, f"no answer within {QUERY_TIMEOUT_S:.0f} s") from None
    if not outcome.ok:
        raise command_failed(attempt, place, outcome.output)
    return int(outcome.output)


def open_server_log(directory: DataDirectory, programs: Programs) -> None:
    """Makes the server's log, or cuts it to its newest part where it has grown too long.

    In place, because a running server appends to it.
    """
    descriptor = os.open(directory.server_log, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        programs.account.own(descriptor)
        if os.fstat(descriptor).st_size <= EMBEDDED_LOG_BYTES_MAX:
            return
        file.seek(-EMBEDDED_LOG_BYTES_MAX // 10, os.SEEK_END)
        newest = file.read()
        file.truncate(0)
        file.write(newest)


def _await_starter(starter: subprocess.Popen[str], directory: DataDirectory) -> str:
    started = time.monotonic()
    with starter:
        while True:
            try:
                return starter.communicate(timeout=PROGRESS_S)[0]
            except subprocess.TimeoutExpired:
                _report_start(directory, time.monotonic() - started)


def _report_start(directory: DataDirectory, waited_s: float) -> None:
    lines = _log_since(directory, 0).splitlines()
    log.info(
        "the embedded PostgreSQL is starting",
        waited_s=round(waited_s),
        last_logged=lines[-1] if lines else "",
    )


def _log_since(directory: DataDirectory, offset: int) -> str:
    with directory.server_log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(offset, size - 64 * 1024))
        return file.read().decode("utf-8", "replace")
