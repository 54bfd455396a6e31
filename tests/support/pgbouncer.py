"""A real PgBouncer in transaction mode, with fewer sessions than clients, so that each gets others' sessions."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from support.awaited import await_port, free_port

SESSIONS = 2
PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


@contextmanager
def pgbouncer(database: URL, sessions: int = SESSIONS) -> Iterator[URL]:
    """The database's address through it."""
    port = free_port()
    host, server_port = database.query["host"], database.query["port"]
    server = f"host={host} port={server_port} dbname={database.database} user={database.username}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pgbouncer.ini"
        file.write_text(
            f"[databases]\n{database.database} = {server}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
            f"pool_mode = transaction\ndefault_pool_size = {sessions}\nmax_client_conn = 500\n"
            "unix_socket_dir =\n"
        )
        process = subprocess.Popen([PROGRAM, "-q", str(file)], **_account(Path(str(host)), folder, file))
        try:
            await_port(port, process)
            yield database.set(host="127.0.0.1", port=port).difference_update_query(["host", "port"])
        finally:
            process.kill()
            process.wait()


def _account(socket_place: Path, *places: str | Path) -> dict[str, Any]:
    """It refuses to be root, and must be let through to the server's socket: so it is whoever the server is."""
    if os.getuid() != 0:
        return {}
    owner = socket_place.stat()
    for place in places:
        os.chown(place, owner.st_uid, owner.st_gid)
    return {"user": owner.st_uid, "group": owner.st_gid}
