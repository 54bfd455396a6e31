"""The directory of the server's socket: private, and with a path that fits into a socket address."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from datastorage.db.embedded.account import Account
from datastorage.db.embedded.directory import DataDirectory
from datastorage.db.embedded.postmaster import SOCKET_NAME
from datastorage.errors import EmbeddedServerError

SOCKET_PATH_BYTES_MAX: Final = 103  # Linux has room for 107, the BSDs and macOS for 103
PLAIN_PATH: Final = re.compile(r"[\w./-]+", re.ASCII)  # means the same in a URL and in PostgreSQL's settings
PRIVATE_MODE: Final = 0o700
PRIVATE_BASES: Final = (Path("/run"), Path("/tmp"))  # noqa: S108  (only a random directory of mode 0700 goes there)


def prepare_socket_dir(directory: DataDirectory, account: Account) -> Path:
    """The directory for the socket, made if need be.

    It lies in the data directory, unless that path is too long or has special characters: then it is a
    private one elsewhere, to which a link in the data directory points. Errors: EmbeddedServerError, OSError.
    """
    place = directory.socket_dir
    if not _suits_a_socket(place):
        return _linked_dir(place, account)
    if not os.path.lexists(place):
        place.mkdir(mode=PRIVATE_MODE)
        account.own(place)
    if not _is_private(place, account):
        raise EmbeddedServerError(
            f"{place} must be a directory of user {account.name} that no one else can enter; "
            "remove it, and it will be made anew"
        )
    return place


def discard_linked_dir(directory: DataDirectory, account: Account) -> None:
    """Removes a private directory outside the data directory; called when the server has stopped."""
    link = directory.socket_dir
    if link.is_symlink() and _is_private(link.readlink(), account):
        with suppress(OSError):  # not empty: a socket that a killed server left; the directory is used again
            link.readlink().rmdir()
            link.unlink()


def _linked_dir(link: Path, account: Account) -> Path:
    if link.is_symlink():
        target = link.readlink()
        if _is_private(target, account):
            return target
        link.unlink()  # the machine has cleaned up its temporary files, and someone may have taken the name
    base = next(
        (base for base in PRIVATE_BASES if os.access(base, os.W_OK | os.X_OK, effective_ids=True)), None
    )
    if base is None:
        raise EmbeddedServerError(
            f"the path {link} does not suit a socket, and no directory outside can be made "
            f"in {' or '.join(map(str, PRIVATE_BASES))}; choose a short and plain DATASTORAGE_DATA_DIR"
        )
    target = Path(tempfile.mkdtemp(prefix="datastorage-", dir=base))
    account.own(target)
    link.symlink_to(target)
    return target


def _suits_a_socket(place: Path) -> bool:
    path = str(place / SOCKET_NAME)
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX and PLAIN_PATH.fullmatch(path) is not None


def _is_private(place: Path, account: Account) -> bool:
    try:
        found = place.lstat()
    except FileNotFoundError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == account.uid
        and stat.S_IMODE(found.st_mode) == PRIVATE_MODE
    )
