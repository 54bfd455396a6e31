"""A streaming replica of a server of a test's own, made by PostgreSQL's pg_basebackup."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.awaited import free_port
from support.servers import SUPERUSER, Server


@contextmanager
def standby(primary: Server) -> Iterator[Server]:
    """Running, and replaying what the primary writes; removed in the end."""
    port = free_port()
    place = Path(tempfile.mkdtemp(prefix="ds-standby-", dir="/tmp"))
    primary.programs.account.own(place)
    replica = Server(place, primary.programs, port)
    try:
        made = primary.programs.run(
            "pg_basebackup", "-D", str(replica.data), "-h", str(primary.place), "-p", str(primary.port),
            "-U", SUPERUSER, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync",
        )  # fmt: skip
        assert made.ok, made.output
        with (replica.data / "postgresql.conf").open("a") as configuration:
            configuration.write(f"unix_socket_directories = '{place}'\nport = {port}\n")
        replica.start()
        yield replica
    finally:
        replica.stop()
        shutil.rmtree(place)
