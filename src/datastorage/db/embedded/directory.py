"""The data directory: its layout, its making, and the checks that it is ours to use."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import platformdirs

from datastorage.db.embedded.account import Account, name_of
from datastorage.db.embedded.binaries import POSTGRES_MAJOR
from datastorage.errors import EmbeddedServerError

ROOT_DATA_DIR: Final = Path("/var/lib/datastorage")


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Where each thing of the embedded server lies."""

    path: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own directory; the major version is in its name, since formats differ between them."""
        return self.path / f"postgres-{POSTGRES_MAJOR}"

    @property
    def server_log(self) -> Path:
        """What the server writes; beside the cluster, so that a failed start can be read."""
        return self.path / f"postgres-{POSTGRES_MAJOR}.log"

    @property
    def socket_dir(self) -> Path:
        """The socket's directory, or a symbolic link to it where this path would not do for a socket."""
        return self.path / "run"

    @property
    def lease_file(self) -> Path:
        """Locked shared by every process that uses the server."""
        return self.path / "lease.lock"

    @property
    def start_lock_file(self) -> Path:
        """Locked exclusively by the process that starts or stops the server."""
        return self.path / "start.lock"

    @property
    def cluster_name(self) -> str:
        """Shown in the title of each server process, by which we know them again."""
        return f"datastorage-{sha256(os.fsencode(self.path)).hexdigest()[:12]}"


def default_data_dir() -> Path:
    """Where data goes unless settings say otherwise: /var/lib/datastorage for root, else the user's data."""
    return ROOT_DATA_DIR if os.geteuid() == 0 else platformdirs.user_data_path("datastorage")


def open_directory(data_dir: Path, account: Account) -> DataDirectory:
    """The data directory, made if need be, usable by this process and by the server's account.

    Errors: EmbeddedServerError, OSError.
    """
    path = data_dir.expanduser().resolve()
    if any(character in str(path) for character in "\n\r"):
        raise EmbeddedServerError(
            f"the data directory {str(path)!r} has a line break in its name; choose another"
        )
    if not path.exists():
        _make(path, account)
    if not path.is_dir():
        raise EmbeddedServerError(f"the data directory {path} is a file; choose another DATASTORAGE_DATA_DIR")
    _check_access(path, account)
    if (path / "PG_VERSION").exists():
        raise EmbeddedServerError(
            f"{path} is itself the data directory of a PostgreSQL server; choose an empty DATASTORAGE_DATA_DIR, "
            "or start that server and name it in DATASTORAGE_DATABASE_URL"
        )
    return DataDirectory(path)


def check_cluster(directory: DataDirectory, account: Account) -> bool:
    """Whether a cluster of ours is there; false where one has yet to be made. Errors: EmbeddedServerError."""
    cluster = directory.cluster
    if not cluster.exists():
        _check_no_other_version(directory)
        return False
    _check_owner(cluster, account)
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if any(cluster.iterdir()):
            raise EmbeddedServerError(
                f"{cluster} holds files that are not PostgreSQL's; move them away, "
                "or choose another DATASTORAGE_DATA_DIR"
            ) from None
        return False
    if version != str(POSTGRES_MAJOR):
        raise _wrong_version(cluster, version)
    return True


def _make(path: Path, account: Account) -> None:
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        if not account.is_current:
            parent.chmod(0o755)  # made by us for this; root's umask may have closed it to the account
    # Renamed into place with its owner set: a second process never sees a directory it could not use.
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name[:50]}-", dir=path.parent))
    account.own(draft)
    try:
        draft.rename(path)
    except OSError:
        draft.rmdir()
        if not path.exists():
            raise


def _check_access(path: Path, account: Account) -> None:
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        owner = name_of(path.stat().st_uid)
        raise EmbeddedServerError(
            f"user {name_of(os.geteuid())} cannot write to the data directory {path}, which belongs to {owner}; "
            f"run the service as {owner}, or choose another DATASTORAGE_DATA_DIR"
        )
    if not account.may_enter(path):
        barrier = next(place for place in (*reversed(path.parents), path) if not account.may_enter(place))
        raise EmbeddedServerError(
            f"PostgreSQL runs as user {account.name}, who cannot enter {barrier}; choose a DATASTORAGE_DATA_DIR "
            f"elsewhere (the default is {ROOT_DATA_DIR}), or open the way: chmod o+x {barrier}"
        )


def _check_owner(cluster: Path, account: Account) -> None:
    if not cluster.is_dir():
        raise EmbeddedServerError(
            f"{cluster} is not a directory; move it away, or choose another DATASTORAGE_DATA_DIR"
        )
    owner_uid = cluster.stat().st_uid
    if owner_uid != account.uid:
        raise EmbeddedServerError(
            f"the data in {cluster} belongs to user {name_of(owner_uid)}, and the server would run as {account.name}; "
            f"start the service as {name_of(owner_uid)}, choose another DATASTORAGE_DATA_DIR, "
            f"or hand the data over: chown -R {account.name} {cluster}"
        )


def _check_no_other_version(directory: DataDirectory) -> None:
    for other in sorted(directory.path.glob("postgres-[0-9][0-9]")):
        with suppress(OSError):  # something else of that name
            raise _wrong_version(other, (other / "PG_VERSION").read_text().strip())


def _wrong_version(cluster: Path, version: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"the data in {cluster} was written by PostgreSQL {version}, and this release brings {POSTGRES_MAJOR}, "
        f"which cannot read it; dump it with a release that brings {version} (pg_dump) and restore it here, "
        "or choose another DATASTORAGE_DATA_DIR"
    )
