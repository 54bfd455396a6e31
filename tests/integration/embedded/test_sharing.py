"""Several users of one data directory: the first starts the server, the last one stops it."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from datastorage.db.embedded.account import server_account
from datastorage.db.embedded.lease import start_lock
from datastorage.errors import EmbeddedServerError

Find = Callable[[Path], psutil.Process | None]
Query = Callable[[str, str], Any]


def test_second_process_joins_and_the_last_one_stops_the_server(
    data_dir: Path, open_server: Any, hold: Any, postmaster: Find
) -> None:
    # given a server started here
    ours = open_server(data_dir)
    started = postmaster(data_dir)
    # when another process opens it
    theirs = hold(data_dir).ready()
    # then it is the same server, which stays as long as one of both needs it
    assert theirs.url == ours.url
    assert postmaster(data_dir) == started
    ours.release()
    assert postmaster(data_dir) == started
    theirs.release()
    assert postmaster(data_dir) is None


def test_two_uses_in_one_process_share_the_server(data_dir: Path, open_server: Any, postmaster: Find) -> None:
    first = open_server(data_dir)
    second = open_server(data_dir)
    started = postmaster(data_dir)
    assert first.url == second.url
    first.release()
    first.release()
    assert postmaster(data_dir) == started
    second.release()
    assert postmaster(data_dir) is None


def test_leaving_the_context_stops_the_server_and_data_outlives_it(
    data_dir: Path, open_server: Any, postmaster: Find, query: Query
) -> None:
    with open_server(data_dir) as server:
        query(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert postmaster(data_dir) is None
    with open_server(data_dir) as server:
        assert query(server.url, "SELECT answer FROM kept") == 42


def test_simultaneous_first_starts_make_one_database(
    new_dir: Path, hold: Any, postmaster: Find, query: Query
) -> None:
    # given two processes that start at the same time where nothing is
    first, second = hold(new_dir), hold(new_dir)
    # when both are ready
    first.ready()
    second.ready()
    # then they see the same data
    query(first.url, "CREATE TABLE shared AS SELECT 7 AS value")
    assert query(second.url, "SELECT value FROM shared") == 7
    first.release()
    second.release()
    assert postmaster(new_dir) is None


def test_no_process_of_the_server_inherits_a_lock(
    data_dir: Path, open_server: Any, postmaster: Find, opened_by: Callable[[psutil.Process], set[str]]
) -> None:
    open_server(data_dir)
    server = postmaster(data_dir)
    assert server is not None
    opened = {path for process in (server, *server.children()) for path in opened_by(process)}
    assert str(data_dir / "postgres-18.log") in opened
    assert not opened & {str(data_dir / "lease.lock"), str(data_dir / "start.lock")}


def test_lease_of_a_killed_process_is_free_while_the_server_lives(
    data_dir: Path, hold: Any, postmaster: Find
) -> None:
    hold(data_dir).ready().kill()
    assert postmaster(data_dir) is not None
    with (data_dir / "lease.lock").open("r+") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_joining_with_more_connections_than_the_server_allows_is_refused(
    data_dir: Path, open_server: Any, hold: Any, postmaster: Find, query: Query
) -> None:
    # given a server for few connections, in use
    other = hold(data_dir, connections_max=10).ready()
    # when one comes that wants more, it is told what to do, and the other one is not disturbed
    with pytest.raises(
        EmbeddedServerError, match=r"max_connections = 100, and 200 .* stop the other processes"
    ):
        open_server(data_dir, connections_max=200)
    assert query(other.url, "SHOW max_connections") == "100"
    # then, when the other one has gone, it gets what it wants
    other.release()
    assert postmaster(data_dir) is None
    assert query(open_server(data_dir, connections_max=200).url, "SHOW max_connections") == "220"


def test_joining_with_connections_that_still_fit_is_granted(
    data_dir: Path, open_server: Any, hold: Any
) -> None:
    other = hold(data_dir, connections_max=10).ready()
    assert open_server(data_dir, connections_max=97).url == other.url
    with pytest.raises(EmbeddedServerError, match="98 are asked for"):
        open_server(data_dir, connections_max=98)


def test_waiting_for_a_start_that_never_ends_is_given_up_with_a_message(place: Path) -> None:
    account, path = server_account(), place / "start.lock"
    with (
        start_lock(path, account, wait_s_max=0),
        pytest.raises(EmbeddedServerError, match="another process has been starting or stopping"),
        start_lock(path, account, wait_s_max=0.1),
    ):
        pass
