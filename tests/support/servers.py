"""Further PostgreSQL servers, for what the server of the run cannot show: other versions, other settings, a stop.

Each lives in a folder of its own, listens on a socket there (no password) and on 127.0.0.1 (with one), and is
run by the account that runs embedded servers, since PostgreSQL refuses root.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from datastorage.db.embedded.account import server_account
from datastorage.db.embedded.programs import Programs

DEBIANS_15 = Path("/usr/lib/postgresql/15/bin")
NEEDS_DEBIANS_15 = pytest.mark.skipif(
    not DEBIANS_15.is_dir() and os.environ.get("CI") != "true",
    reason="needs PostgreSQL 15: apt-get install postgresql-15",
)
SUPERUSER = "postgres"
PASSWORD = "Sesam-0effne-dich"
# Nothing here has to outlive the test; 128 MB would be touched, and cost, at each start.
FRUGAL = {
    "fsync": "off",
    "shared_buffers": "16MB",
    "max_wal_size": "256MB",
    "dynamic_shared_memory_type": "mmap",
}


@dataclass(frozen=True)
class Server:
    """One cluster on disk; `running` starts it with the settings that the test is about."""

    place: Path
    programs: Programs
    port: int

    @property
    def data(self) -> Path:
        return self.place / "data"

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> URL:
        """Over the socket, where everyone is trusted."""
        query = {"host": str(self.place), "port": str(self.port)}
        return URL.create("postgresql+asyncpg", username=user, database=database, query=query)

    def tcp_url(self, database: str = "postgres", user: str = SUPERUSER, password: str = PASSWORD) -> URL:
        """Over TCP, with a password."""
        return URL.create(
            "postgresql+asyncpg", user, password, "127.0.0.1", self.port, database, query={"ssl": "prefer"}
        )

    def give_certificate(self, host: str) -> None:
        """Lets it speak TLS (`running(ssl="on")`) under a certificate of its own making."""
        for name, content in zip(("server.key", "server.crt"), self_signed(host), strict=True):
            (self.data / name).write_bytes(content)
            (self.data / name).chmod(0o600)
            self.programs.account.own(self.data / name)

    @contextmanager
    def running(self, **settings: str) -> Iterator["Server"]:
        """Started, and surely stopped."""
        self.start(**settings)
        try:
            yield self
        finally:
            self.stop()

    def start(self, **settings: str) -> None:
        """Waits until it accepts connections."""
        options = " ".join(f"-c {name}={value}" for name, value in {**FRUGAL, **settings}.items())
        self._pg_ctl("start", "--log", str(self.place / "log"), "--options", options)

    def stop(self) -> None:
        """At once, as in a crash: nothing here is worth a checkpoint. Stopped already is stopped."""
        if (self.data / "postmaster.pid").exists():
            self._pg_ctl("stop", "--mode", "immediate")

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        done = self.programs.run("pg_ctl", action, "-D", str(self.data), "--silent", "--wait", *arguments)
        log = self.place / "log"
        assert done.ok, done.output + (log.read_text() if log.exists() else "")


@contextmanager
def cluster(bin_dir: Path) -> Iterator[Server]:
    """A new cluster for the programs in `bin_dir`, not yet running; removed in the end."""
    programs = Programs(bin_dir, server_account())
    place = Path(tempfile.mkdtemp(prefix="ds-server-", dir="/tmp"))  # a short path, as sockets want it
    programs.account.own(place)
    server = Server(place, programs, _free_port())
    (place / "password").write_text(PASSWORD)
    (place / "password").chmod(0o644)
    try:
        made = programs.run(
            "initdb", "-D", str(server.data), "--username", SUPERUSER, "--no-sync", "--no-instructions",
            "--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256",
            "--pwfile", str(place / "password"),
        )  # fmt: skip
        assert made.ok, made.output
        with (server.data / "postgresql.conf").open("a") as configuration:
            configuration.write(
                f"unix_socket_directories = '{place}'\nlisten_addresses = '127.0.0.1'\nport = {server.port}\n"
            )
        yield server
    finally:
        server.stop()
        shutil.rmtree(place)


def self_signed(host: str) -> tuple[bytes, bytes]:
    """A new key, and a certificate for it."""
    made = subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                f"/CN={host}",
            ),
            *("-addext", f"subjectAltName=DNS:{host}", "-keyout", "-", "-out", "-"),
        ],
        check=True,
        capture_output=True,
    ).stdout
    start = made.index(b"-----BEGIN CERTIFICATE")
    return made[:start], made[start:]


@contextmanager
def installation(package: str, name: str) -> Iterator[Path]:
    """A copy of the PostgreSQL that a wheel brings: to be changed, and run by whoever; its `bin` folder."""
    spec = util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    installed = Path(spec.origin).parent
    libraries = installed.with_name(f"{package}.libs")
    copy = Path(tempfile.mkdtemp(prefix="ds-programs-", dir="/tmp"))
    try:
        (copy / package).mkdir()
        for source in (installed / name, libraries):
            target = copy / source.relative_to(installed.parent)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "pgxs"))
        subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
        yield copy / package / name / "bin"
    finally:
        shutil.rmtree(copy)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
