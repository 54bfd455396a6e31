"""Who runs the server: the current user or, because PostgreSQL refuses root, a system account of our own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from datastorage.errors import EmbeddedServerError

ACCOUNT_NAME: Final = "datastorage"
ACCOUNT_COMMANDS: Final[Sequence[Sequence[str]]] = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", ACCOUNT_NAME),
    ("adduser", "-S", "-D", "-H", "-s", "/bin/false", ACCOUNT_NAME),  # BusyBox, as on Alpine
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user that runs the server and owns its files."""

    name: str
    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        """Whether this process runs as the account itself."""
        return self.uid == os.geteuid()

    def process_options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program as this account, and with no other right."""
        return {} if self.is_current else {"user": self.uid, "group": self.gid, "extra_groups": ()}

    def own(self, target: Path | int) -> None:
        """Hands a path or file descriptor that this process has just created to the account."""
        if not self.is_current:
            os.chown(target, self.uid, self.gid)

    def may_enter(self, directory: Path) -> bool:
        """Whether the account can traverse `directory`; asks the kernel, so that ACLs count too."""
        if self.is_current:
            return os.access(directory, os.X_OK, effective_ids=True)
        entered = subprocess.run(  # noqa: S603  (a constant line, the path is an argument to it)
            ("/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)),
            cwd="/",
            capture_output=True,
            check=False,
            **self.process_options(),
        )
        return bool(entered.returncode == 0)


def server_account() -> Account:
    """The account for the server: the current user, or as root a system account, made if need be.

    Errors: EmbeddedServerError.
    """
    if os.geteuid() != 0:
        return _account(_current_user())
    entry = _find(ACCOUNT_NAME) or _create()
    if entry.pw_uid == 0:
        raise EmbeddedServerError(
            f"the account {ACCOUNT_NAME!r} has the rights of root, which PostgreSQL refuses; "
            "give it a user id of its own, or start the service as an ordinary user"
        )
    return _account(entry)


def name_of(uid: int) -> str:
    """The name of a user for a message; the number where there is no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _current_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedServerError(
            f"user id {os.geteuid()} has no entry in /etc/passwd, which PostgreSQL needs; add one, "
            "or set DATASTORAGE_DATABASE_URL to a server of your own"
        ) from None


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    command = next((c for c in ACCOUNT_COMMANDS if shutil.which(c[0], path=_ADMIN_PATH)), None)
    if command is None:
        raise _no_account("neither useradd nor adduser is installed")
    done = subprocess.run(  # noqa: S603  (a constant command line)
        command,
        env={"PATH": _ADMIN_PATH, "LC_ALL": "C"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    # Looked up whatever the outcome: another process may have made the account meanwhile.
    entry = _find(ACCOUNT_NAME)
    if entry is None:
        raise _no_account(f"{command[0]} failed: {done.stderr.strip()}")
    log.info("made the system account that runs the embedded PostgreSQL", account=ACCOUNT_NAME)
    return entry


def _no_account(reason: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"PostgreSQL refuses to run as root, and the account {ACCOUNT_NAME!r} for it cannot be made: {reason}. "
        f"Create a system account {ACCOUNT_NAME!r}, start the service as an ordinary user, "
        "or set DATASTORAGE_DATABASE_URL to a server of your own"
    )


_ADMIN_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
