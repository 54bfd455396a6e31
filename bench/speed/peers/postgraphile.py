"""PostGraphile's packages, from npm, with the Node that it needs among them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from bench.speed.wrk import RunFailed

FOLDER: Final = Path(__file__).parents[2] / "peers" / "postgraphile"
NODE: Final = FOLDER / "node_modules" / "node" / "bin" / "node"
SERVER: Final = FOLDER / "server.mjs"


def install() -> None:
    """As the lock file says; once. Errors: RunFailed."""
    installed, locked = FOLDER / "node_modules" / ".package-lock.json", FOLDER / "package-lock.json"
    if NODE.exists() and installed.exists() and installed.stat().st_mtime >= locked.stat().st_mtime:
        return
    if shutil.which("npm") is None:
        raise RunFailed("npm is missing: apt-get install nodejs npm")
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--no-progress"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not NODE.exists():
        raise RunFailed(f"PostGraphile cannot be installed:\n{done.stdout}{done.stderr}")
