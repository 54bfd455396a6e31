"""How the server is set up: tuned for its job, reachable by its socket only, deaf to the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy.engine import make_url

from datastorage.db.embedded.tuning import GIB, MIB, Machine, settings

Find = Callable[[Path], psutil.Process | None]
Query = Callable[[str, str], Any]


@pytest.fixture
def shown(data_dir: Path, open_server: Any, query: Query) -> Callable[[str], Any]:
    server = open_server(data_dir, connections_max=120)
    return lambda name: query(server.url, f"SHOW {name}")


def test_settings_reach_the_server(shown: Callable[[str], Any]) -> None:
    wanted = settings(Machine.this(), connections_max=120)
    assert wanted["max_connections"] == "140"
    in_units = {"1024MB": "1GB", "2048MB": "2GB"}
    for name, value in wanted.items():
        if name != "effective_cache_size":  # shown in whichever unit is shortest
            assert shown(name) == in_units.get(value, value)


def test_database_is_utf8_with_checksums_and_its_own_locale(
    shown: Callable[[str], Any], data_dir: Path, open_server: Any, query: Query
) -> None:
    assert shown("data_checksums") == "on"
    assert shown("server_encoding") == "UTF8"
    locale = (
        "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = current_database()"
    )
    with open_server(data_dir) as server:
        assert query(server.url, locale) == "b C.UTF-8"


def test_server_listens_on_nothing_but_its_socket(
    data_dir: Path, open_server: Any, postmaster: Find, opened_by: Callable[[psutil.Process], set[str]]
) -> None:
    server = open_server(data_dir)
    process = postmaster(data_dir)
    assert process is not None
    sockets = {
        link.removeprefix("socket:[").removesuffix("]") for link in opened_by(process) if "socket:" in link
    }
    assert len(sockets) == 1
    tcp_inodes = {row.split()[9] for table in ("tcp", "tcp6") for row in _rows_of(table)}
    assert not sockets & tcp_inodes
    unix_paths = [row.split()[7] for row in _rows_of("unix") if row.split()[6] in sockets]
    assert unix_paths == [str(data_dir / "run" / ".s.PGSQL.5432")]
    assert make_url(server.url).query["host"] == str(data_dir / "run")


def test_other_users_of_the_machine_cannot_connect(data_dir: Path, open_server: Any) -> None:
    open_server(data_dir)
    place = data_dir / "run" / ".s.PGSQL.5432"
    assert place.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:  # tried for real; an ordinary user cannot become another one
        lines = "import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534); "
        lines += "socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        attempt = subprocess.run(
            [sys.executable, "-c", lines, place], capture_output=True, text=True, check=False
        )
        assert attempt.stderr.splitlines()[-1] == "PermissionError: [Errno 13] Permission denied"


def test_environment_of_the_caller_does_not_matter(data_dir: Path, hold: Any, query: Query) -> None:
    variables = {
        "PGDATA": "/nowhere",
        "PGHOST": "nowhere.invalid",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGDATABASE": "nothing",
        "PGOPTIONS": "-c work_mem=broken",
        "PGSSLMODE": "verify-full",
        "LC_ALL": "de_DE.UTF-8",
        "LANGUAGE": "de",
        "LD_LIBRARY_PATH": "/nowhere",
        "TZ": "Asia/Tokyo",
    }
    url = hold(data_dir, variables=variables).ready().url
    assert query(url, "SHOW lc_messages") == "C"
    assert query(url, "SHOW timezone") == "UTC"


def test_url_overrules_the_environment(
    data_dir: Path, open_server: Any, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGHOST": "nowhere.invalid", "PGPORT": "1", "PGSSLMODE": "verify-full"}.items():
        monkeypatch.setenv(name, value)
    assert query(open_server(data_dir).url, "SELECT current_user") == "postgres"


def test_working_directory_may_vanish(
    data_dir: Path, place: Path, hold: Any, postmaster: Find, query: Query
) -> None:
    # given a process whose working directory is removed before it opens the server
    here = place / "here"
    here.mkdir()
    other = hold(data_dir, directory=here)
    here.rmdir()
    # then everything works, and so does the end
    assert query(other.ready().url, "SELECT 1") == 1
    other.release()
    assert postmaster(data_dir) is None


@pytest.mark.parametrize(
    ("memory_bytes", "shared_buffers", "maintenance_work_mem"),
    [
        (GIB // 4, "128MB", "64MB"),
        (2 * GIB, "512MB", "128MB"),
        (4 * GIB, "1024MB", "256MB"),
        (8 * GIB, "1024MB", "512MB"),
        (64 * GIB, "1024MB", "1024MB"),
    ],
)
def test_memory_settings_follow_the_machine(
    memory_bytes: int, shared_buffers: str, maintenance_work_mem: str
) -> None:
    values = settings(Machine(memory_bytes, shared_memory_bytes=64 * GIB), connections_max=50)
    assert values["shared_buffers"] == shared_buffers
    assert values["maintenance_work_mem"] == maintenance_work_mem
    assert values["dynamic_shared_memory_type"] == "posix"


def test_small_shared_memory_file_system_is_avoided() -> None:
    values = settings(Machine(8 * GIB, shared_memory_bytes=64 * MIB), connections_max=50)
    assert values["dynamic_shared_memory_type"] == "sysv"


def _rows_of(table: str) -> list[str]:
    path = Path("/proc/net") / table
    return path.read_text().splitlines()[1:] if path.exists() else []  # no tcp6 without IPv6
