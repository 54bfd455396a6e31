"""The database cluster on disk: made once, completely or not at all, and configured at each start."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import structlog

from datastorage.db.embedded.directory import DataDirectory
from datastorage.db.embedded.faults import command_failed
from datastorage.db.embedded.programs import Programs

DATABASE: Final = "datastorage"
SUPERUSER: Final = "postgres"
SETTINGS_FILE: Final = "datastorage.conf"

log = structlog.get_logger(__name__)


def make_cluster(directory: DataDirectory, programs: Programs) -> None:
    """Makes the cluster and its database in a draft that is renamed when complete.

    A process that is killed on the way leaves a draft and nothing that a next start could take for data.
    Errors: EmbeddedServerError, OSError.
    """
    for leftover in directory.path.glob(f"{_draft_prefix(directory)}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=_draft_prefix(directory), dir=directory.path))
    programs.account.own(draft)
    log.info("making the embedded database", data_dir=str(directory.path))
    try:
        _initialise(draft, programs)
        draft.rename(directory.cluster)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync_directory(directory.path)


def write_settings(directory: DataDirectory, programs: Programs, text: str) -> None:
    """Replaces our settings file as a whole, so that a new release's tuning takes effect."""
    descriptor, draft = tempfile.mkstemp(prefix=f"{SETTINGS_FILE}.", dir=directory.cluster)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        programs.account.own(descriptor)
        file.write(text)
    Path(draft).replace(directory.cluster / SETTINGS_FILE)


def written_settings(directory: DataDirectory) -> str | None:
    """The settings that the server was last started with."""
    try:
        return (directory.cluster / SETTINGS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _initialise(draft: Path, programs: Programs) -> None:
    made = programs.run(
        "initdb",
        f"--pgdata={draft}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        # PostgreSQL's own locale: the same order on every machine, whatever the C library knows.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        # Who may enter the socket's directory is who may connect.
        "--auth-local=trust",
        "--auth-host=reject",
        "--no-instructions",
    )
    if not made.ok:
        raise command_failed("making the embedded database", draft.parent, made.output)
    # Without a running server, so that the database is there from the first start on.
    created = programs.run(
        "postgres", "--single", "-D", str(draft), "-c", "exit_on_error=on", "template1",
        stdin=f"CREATE DATABASE {DATABASE}\n",
    )  # fmt: skip
    if not created.ok:
        raise command_failed("making the embedded database", draft.parent, created.output)
    with (draft / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(f"\ninclude = '{SETTINGS_FILE}'\n")


def _draft_prefix(directory: DataDirectory) -> str:
    return f"{directory.cluster.name}-draft-"


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
