"""Processes killed without warning: the next start adopts, recovers, and loses nothing committed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from sqlalchemy.engine import make_url

from datastorage.db.embedded import control
from datastorage.db.embedded.account import server_account
from datastorage.limits import EMBEDDED_LOG_BYTES_MAX

Find = Callable[[Path], psutil.Process | None]
Query = Callable[[str, str], Any]


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """An unrelated process of the account that the server runs as."""
    with subprocess.Popen(["sleep", "600"], **server_account().process_options()) as process:
        yield process
        process.kill()


def test_server_of_a_killed_process_is_adopted(
    data_dir: Path, hold: Any, open_server: Any, postmaster: Find, query: Query
) -> None:
    # given a process that committed something and was killed
    killed = hold(data_dir).ready()
    query(killed.url, "CREATE TABLE kept AS SELECT 1 AS value")
    killed.kill()
    orphan = postmaster(data_dir)
    assert orphan is not None
    # when the next one comes
    server = open_server(data_dir)
    # then it uses the same server, and stops it in the end
    assert postmaster(data_dir) == orphan
    assert query(server.url, "SELECT value FROM kept") == 1
    server.release()
    assert postmaster(data_dir) is None


def test_killed_server_recovers_what_was_committed(
    data_dir: Path, hold: Any, open_server: Any, postmaster: Find, query: Query
) -> None:
    # given a server with committed data, killed with its user
    user = hold(data_dir).ready()
    query(user.url, "CREATE TABLE kept AS SELECT count(*) FROM generate_series(1, 1000)")
    _kill(postmaster(data_dir))
    user.kill()
    # when it is started again
    server = open_server(data_dir)
    # then the data is there
    assert query(server.url, "SELECT * FROM kept") == 1000


def test_killed_server_is_started_anew_while_its_former_user_lives(
    data_dir: Path, hold: Any, open_server: Any, postmaster: Find, query: Query
) -> None:
    user = hold(data_dir).ready()
    query(user.url, "CREATE TABLE kept AS SELECT 5 AS value")
    _kill(postmaster(data_dir))
    server = open_server(data_dir)
    assert query(server.url, "SELECT value FROM kept") == 5
    # the former user's release leaves the new server to us
    user.release()
    assert query(server.url, "SELECT value FROM kept") == 5


def test_query_that_survives_its_server_is_ended_before_the_next_start(
    data_dir: Path, open_server: Any, postmaster: Find
) -> None:
    # given a server killed while a query is computing, which does not notice
    first = open_server(data_dir)
    backend = asyncio.run(_left_computing(first.url, lambda: _kill(postmaster(data_dir))))
    # when it is started again
    server = open_server(data_dir)
    # then the query is gone, and the server is there
    assert not psutil.pid_exists(backend) or psutil.Process(backend).status() == psutil.STATUS_ZOMBIE
    assert server.url == first.url
    assert postmaster(data_dir) is not None


def test_pid_of_a_dead_server_in_the_hands_of_another_process_does_not_matter(
    data_dir: Path, open_server: Any, postmaster: Find, query: Query, bystander: subprocess.Popen[bytes]
) -> None:
    # given the files of a killed server, whose pid now belongs to an unrelated process
    first = open_server(data_dir)
    query(first.url, "CREATE TABLE kept AS SELECT 3 AS value")
    _kill(postmaster(data_dir))
    for lock in (data_dir / "postgres-18" / "postmaster.pid", data_dir / "run" / ".s.PGSQL.5432.lock"):
        _, *rest = lock.read_text().splitlines()
        lock.write_text("\n".join([str(bystander.pid), *rest, ""]))
    # when it is started again
    server = open_server(data_dir)
    # then it runs, and the other process has not been touched
    assert query(server.url, "SELECT value FROM kept") == 3
    assert bystander.poll() is None


def test_start_killed_while_making_the_database_does_not_block_the_next(
    new_dir: Path, hold: Any, open_server: Any, query: Query
) -> None:
    # given a first start that is killed, with its children, in the middle of initdb
    killed = hold(new_dir)
    _until(lambda: list(new_dir.glob("postgres-18-draft-*/base")))
    killed.kill()
    assert list(new_dir.glob("postgres-18-draft-*"))
    assert not (new_dir / "postgres-18").exists()
    # when the next start comes
    server = open_server(new_dir)
    # then it makes the database, and clears away what was left
    assert query(server.url, "SELECT current_database()") == "datastorage"
    assert not list(new_dir.glob("postgres-18-draft-*"))


def test_server_that_is_still_recovering_is_awaited(
    data_dir: Path, hold: Any, open_server: Any, postmaster: Find, query: Query
) -> None:
    # given a server in a slow recovery, whose starter was killed
    _make_recovery_slow(data_dir)
    starter = hold(data_dir)
    _until(lambda: _status(data_dir) in {"starting", "standby"})
    starter.kill()
    recovering = postmaster(data_dir)
    assert recovering is not None
    assert _status(data_dir) != "ready"
    # when the next one comes
    server = open_server(data_dir)
    # then it has waited for the same server to be ready
    assert postmaster(data_dir) == recovering
    assert query(server.url, "SELECT pg_is_in_recovery()") is False


def test_server_that_is_killed_as_it_starts_is_reported_and_recovers_next_time(
    data_dir: Path, hold: Any, open_server: Any, postmaster: Find, query: Query
) -> None:
    _make_recovery_slow(data_dir)
    starter = hold(data_dir)
    _until(lambda: _status(data_dir) in {"starting", "standby"})
    _kill(postmaster(data_dir))
    assert "it gave no reason, so it was killed from outside" in starter.failure()
    assert query(open_server(data_dir).url, "SELECT 1") == 1


def test_orphan_with_settings_of_another_release_is_restarted_with_ours(
    data_dir: Path, hold: Any, open_server: Any, postmaster: Find, query: Query
) -> None:
    # given an orphan that was started with other settings than ours
    hold(data_dir, connections_max=150).ready().kill()
    orphan = postmaster(data_dir)
    assert orphan is not None
    # when the next one comes
    server = open_server(data_dir, connections_max=200)
    # then it runs a server with its own
    assert postmaster(data_dir) != orphan
    assert query(server.url, "SHOW max_connections") == "220"


def test_orphan_without_its_socket_is_restarted(
    data_dir: Path, hold: Any, open_server: Any, query: Query
) -> None:
    hold(data_dir).ready().kill()
    (data_dir / "run" / ".s.PGSQL.5432").unlink()
    assert query(open_server(data_dir).url, "SELECT 1") == 1


def test_server_that_does_not_stop_cleanly_is_stopped_at_once(
    data_dir: Path, open_server: Any, postmaster: Find, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a server with a frozen process, which a clean stop waits for
    monkeypatch.setattr(control, "STOP_MODES", (("fast", 1), ("immediate", 15)))
    server = open_server(data_dir)
    query(server.url, "CREATE TABLE kept AS SELECT 9 AS value")
    frozen = next(child for child in postmaster(data_dir).children() if "checkpointer" in child.cmdline()[0])
    frozen.suspend()
    # when it is released
    server.release()
    # then it has stopped, and nothing is lost
    assert postmaster(data_dir) is None
    assert query(open_server(data_dir).url, "SELECT value FROM kept") == 9


def test_log_that_has_grown_too_long_keeps_its_newest_part(data_dir: Path, open_server: Any) -> None:
    log = data_dir / "postgres-18.log"
    with log.open("a") as file:
        file.write("an old line\n" * (EMBEDDED_LOG_BYTES_MAX // 10) + "the newest line\n")
    open_server(data_dir)
    text = log.read_text()
    assert len(text) < EMBEDDED_LOG_BYTES_MAX // 5
    assert "the newest line\n" in text
    assert text.rstrip().endswith("database system is ready to accept connections")


async def _left_computing(url: str, then: Callable[[], None]) -> int:
    parts = make_url(url)
    connection = await asyncpg.connect(
        host=parts.query["host"], port=5432, user=parts.username, database=parts.database, ssl=False
    )
    backend: int = connection.get_server_pid()
    query = asyncio.ensure_future(connection.execute("DO 'BEGIN LOOP END LOOP; END'"))
    await asyncio.sleep(0.3)
    then()
    assert psutil.Process(backend).status() == psutil.STATUS_RUNNING
    connection.terminate()
    with suppress(asyncpg.PostgresError, OSError):
        await query
    return backend


def _kill(process: psutil.Process | None) -> None:
    assert process is not None
    process.send_signal(signal.SIGKILL)
    _until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def _make_recovery_slow(data_dir: Path) -> None:
    cluster = data_dir / "postgres-18"
    with (cluster / "postgresql.auto.conf").open("a") as settings:
        settings.write("restore_command = 'sleep 0.5; false'\nhot_standby = off\n")
    (cluster / "recovery.signal").touch()


def _status(data_dir: Path) -> str:
    with suppress(FileNotFoundError):
        return "".join((data_dir / "postgres-18" / "postmaster.pid").read_text().splitlines()[7:]).strip()
    return ""


def _until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.01)
