"""The embedded server as the service sees it: open it, use its URL, release it.

The first process of a data directory starts the server, later ones join, the last one stops it. A server
whose processes were all killed is adopted by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog
from sqlalchemy.engine import URL

from datastorage.db.embedded import binaries, tuning
from datastorage.db.embedded.account import Account, server_account
from datastorage.db.embedded.cluster import (
    DATABASE,
    SUPERUSER,
    make_cluster,
    write_settings,
    written_settings,
)
from datastorage.db.embedded.control import (
    allowed_connections,
    await_server,
    open_server_log,
    start_server,
    stop_server,
)
from datastorage.db.embedded.directory import DataDirectory, check_cluster, open_directory
from datastorage.db.embedded.faults import access_failed
from datastorage.db.embedded.lease import Lease, start_lock
from datastorage.db.embedded.postmaster import Postmaster, answers, end_orphans, remove_misleading_locks
from datastorage.db.embedded.programs import Programs
from datastorage.db.embedded.sockets import discard_linked_dir, prepare_socket_dir
from datastorage.errors import EmbeddedServerError
from datastorage.limits import EMBEDDED_START_WAIT_S_MAX, EMBEDDED_STOP_FAST_S_MAX

SUPERUSER_CONNECTIONS: Final = 3  # PostgreSQL's own reserve

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """One use of the running server; the last one to be released stops it."""

    url: str
    _lease: Lease = field(repr=False)
    _directory: DataDirectory = field(repr=False)
    _programs: Programs = field(repr=False)

    def release(self) -> None:
        """Ends this use; a second call does nothing. Never raises: a server left behind is adopted later."""
        if not self._lease.held:
            return
        try:
            with start_lock(
                self._directory.start_lock_file, self._programs.account, wait_s_max=EMBEDDED_STOP_FAST_S_MAX
            ):
                self._end()
        except (OSError, EmbeddedServerError) as error:
            self._lease.close()
            log.warning(
                "left the embedded PostgreSQL running", reason=str(error), data_dir=str(self._directory.path)
            )

    def _end(self) -> None:
        # The lease is held until the server has stopped: whoever comes next waits for the start lock.
        if self._lease.is_sole() and stop_server(self._directory, self._programs):
            discard_linked_dir(self._directory, self._programs.account)
        self._lease.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def open_embedded_server(data_dir: Path, *, connections_max: int) -> EmbeddedServer:
    """A use of the server of `data_dir`, which is made, started, recovered or adopted as need be.

    `connections_max`: how many connections the processes of this data directory open together.
    Blocks, after a crash for as long as recovery takes. Errors: EmbeddedServerError.
    """
    account = server_account()
    try:
        directory = open_directory(data_dir, account)
        with start_lock(directory.start_lock_file, account, wait_s_max=EMBEDDED_START_WAIT_S_MAX):
            return _opened(directory, account, connections_max)
    except OSError as error:
        raise access_failed(data_dir, error) from error


def _opened(directory: DataDirectory, account: Account, connections_max: int) -> EmbeddedServer:
    programs = binaries.usable_programs(account, directory.path)
    lease = Lease(directory.lease_file, account)
    try:
        server = _running_server(directory, programs, lease, connections_max)
    except BaseException:
        lease.close()
        raise
    use = EmbeddedServer(_url(server), lease, directory, programs)
    try:
        _check_connections(directory, programs, server, connections_max)
    except BaseException:
        use._end()  # noqa: SLF001  (the start lock is held already)
        raise
    return use


def _running_server(
    directory: DataDirectory, programs: Programs, lease: Lease, connections_max: int
) -> Postmaster:
    if not check_cluster(directory, programs.account):
        make_cluster(directory, programs)
    socket_dir = prepare_socket_dir(directory, programs.account)
    values = tuning.settings(tuning.Machine.this(), connections_max=connections_max)
    values |= tuning.reach(socket_dir, directory.cluster_name)
    wanted = tuning.render(values, binaries.release())
    server = await_server(directory, programs)
    if server is not None and server.is_ready and not _is_outdated(server, directory, lease, wanted):
        open_server_log(directory, programs)
        log.debug("joined the running embedded PostgreSQL", pid=server.pid, data_dir=str(directory.path))
        return server
    if not stop_server(directory, programs):
        raise EmbeddedServerError(
            f"the embedded PostgreSQL in {directory.path} neither works nor stops; end its processes "
            f"(they have {directory.cluster_name} in their title), then start again"
        )
    _refuse_a_second_server(socket_dir)
    end_orphans(directory, programs.account)
    remove_misleading_locks(directory, programs.account, socket_dir)
    binaries.remove_other_copies(programs, directory.path)
    write_settings(directory, programs, wanted)
    return start_server(directory, programs)


def _is_outdated(server: Postmaster, directory: DataDirectory, lease: Lease, wanted: str) -> bool:
    """Whether no one would miss this server, and a fresh one would serve better."""
    if not lease.is_sole():
        return False
    return (
        written_settings(directory) != wanted or server.socket_dir is None or not answers(server.socket_dir)
    )


def _refuse_a_second_server(socket_dir: Path) -> None:
    # Pids of another container are invisible here, but a socket on a shared volume answers.
    if answers(socket_dir):
        raise EmbeddedServerError(
            f"another PostgreSQL already listens in {socket_dir}: the data directory is in use from another "
            "container, or is a copy of one in use; give this service a DATASTORAGE_DATA_DIR of its own"
        )


def _check_connections(
    directory: DataDirectory, programs: Programs, server: Postmaster, connections_max: int
) -> None:
    allowed = allowed_connections(programs, server)
    if allowed < connections_max + SUPERUSER_CONNECTIONS:
        raise EmbeddedServerError(
            f"the embedded PostgreSQL in {directory.path} runs with max_connections = {allowed}, and "
            f"{connections_max} are asked for beside its {SUPERUSER_CONNECTIONS} reserved ones; stop the other "
            f"processes of this data directory first (fuser {directory.lease_file} names them), make the "
            "pools smaller, or undo an ALTER SYSTEM SET max_connections"
        )


def _url(server: Postmaster) -> str:
    url = URL.create(
        "postgresql+asyncpg",
        username=SUPERUSER,
        database=DATABASE,
        # All said in full, so that no PGHOST, PGPORT or PGSSLMODE of the environment has a say.
        query={"host": str(server.socket_dir), "port": "5432", "ssl": "disable"},
    )
    return url.render_as_string(hide_password=False)
