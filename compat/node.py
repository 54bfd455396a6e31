"""Runs a script of this folder with Node, its packages installed from the lock file: `node.py audit.mjs URL`.

CI calls it for the audit, which needs two packages; the other scripts need `--dev` for the rest as well.
Node and npm come from where `ui/build.py` has them from. Standard library only.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import runpy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "package-lock.json"
STAMP = HERE / "node_modules" / ".installed-from"
ui = runpy.run_path(str(HERE.parent / "ui" / "build.py"))


def install(npm: Sequence[str], *, dev: bool) -> None:
    """Install the locked packages unless they are there. Errors: the build's BuildFailed."""
    with LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two installations in one folder would delete each other's packages
        only_some, every = (
            f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()} {what}" for what in ("some", "every")
        )
        found = STAMP.read_text() if STAMP.is_file() else ""
        if found == every or (found == only_some and not dev):
            return
        options = [option for option in ui["NPM_CI"] if option != "--include=dev"]
        which = "--include=dev" if dev else "--omit=dev"
        ui["run"]("npm ci", [*npm, *options, which, "--prefix", str(HERE)])
        STAMP.write_text(every if dev else only_some)


def main() -> int:
    """The command line; exits as the script does."""
    parser = argparse.ArgumentParser(description="Run a script of this folder with Node.")
    parser.add_argument("--dev", action="store_true", help="install what the audit does not need as well")
    parser.add_argument("script", help="path below this folder")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    try:
        with ui["node_and_npm"]() as (node, npm):
            install(npm, dev=asked.dev)
            command = [node, str(HERE / asked.script), *asked.arguments]
            return subprocess.run(command, check=False).returncode
    except (ui["BuildFailed"], OSError) as failure:
        print(f"cannot run {asked.script}: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
