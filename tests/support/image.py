"""The image without an engine for it: the Dockerfile's own steps, run on this machine, and its container's world.

What is not the same: the base image, with it the version of Python, and the user, who has no capabilities all the
same. The root file system is read-only, and the variables are those of the Dockerfile.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from support.manifests import ROOT

GRAPHIQL = Path("src/datastorage/web/static/graphiql")
# Everything read-only but one folder in memory, as `docker run --read-only --tmpfs /tmp` has it.
SEALED = (
    'mount --make-rprivate / && mount -o bind,remount,ro / && mount -t tmpfs -o mode=1777 tmpfs "$TMPDIR" && '
    'exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"'
)


@dataclass(frozen=True)
class Dockerfile:
    """Its instructions, in order."""

    instructions: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls) -> "Dockerfile":
        text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return cls(tuple((line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines))

    def all(self, instruction: str) -> list[str]:
        """What stands behind each of a kind."""
        return [rest for name, rest in self.instructions if name == instruction]

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the container; but PATH."""
        (given,) = self.all("ENV")
        return dict(re.findall(r"(DATASTORAGE_\w+|PYTHON\w+)=(\S+)", given))

    @property
    def health_check(self) -> list[str]:
        (given,) = self.all("HEALTHCHECK")
        return json.loads(given.partition("CMD ")[2])


@dataclass(frozen=True)
class Image:
    """What was installed, and a folder that the service may write to."""

    installed: Path
    tmp: Path

    @property
    def command(self) -> list[str]:
        """Runs `datastorage` as in a container."""
        private = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])]
        return [*private, "sh", "-c", SEALED, "sh", str(self.installed / "bin" / "datastorage")]

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        """All variables of the container: those of the Dockerfile, and these."""
        path = os.pathsep.join([str(self.installed / "bin"), os.environ["PATH"]])
        return {"PATH": path, "TMPDIR": str(self.tmp), **Dockerfile.read().environment, **variables}


@contextmanager
def built() -> Iterator[Image]:
    """The steps of the Dockerfile, from the build context to what is installed."""
    place = Path(tempfile.mkdtemp(prefix="ds-image-", dir="/var/tmp"))
    place.chmod(0o755)
    (place / "tmp").mkdir()
    try:
        context = place / "src"
        copy_context(context)
        run(["make", "--no-print-directory", "dist"], context)
        run([ROOT / "deploy" / "image" / "install", context / "dist", place / "datastorage"], place)
        # Of all that is compiled in an image, only what is used here.
        run([place / "datastorage" / "bin" / "python", "-c", "import datastorage.cli.serve"], place)
        yield Image(place / "datastorage", place / "tmp")
    finally:
        shutil.rmtree(place)


def copy_context(target: Path) -> None:
    """What .dockerignore lets through; with this machine's set-up and GraphiQL, so that neither is made again."""
    for file in sent():
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, target / file)
    (target / ".venv").symlink_to(Path(sys.executable).parents[1])
    if (ROOT / GRAPHIQL).exists():
        shutil.copytree(ROOT / GRAPHIQL, target / GRAPHIQL)


def sent() -> list[Path]:
    """The files of the build context, by what .dockerignore says: nothing, but for what it names with a `!`."""
    first, *rules = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("", "#")
    ]
    assert first == "*"
    named = [ROOT / rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    refused = [rule for rule in rules if not rule.startswith("!")]
    return [file.relative_to(ROOT) for place in named for file in _files(place, refused)]


def _files(place: Path, refused: list[str]) -> Iterator[Path]:
    if any(fnmatch(str(place.relative_to(ROOT)), rule.replace("**/", "*")) for rule in refused):
        return
    if place.is_file():
        yield place
    else:
        for inside in place.iterdir():
            yield from _files(inside, refused)


def run(command: list[str | Path], place: Path) -> None:
    """Errors: AssertionError with what it said."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=place,
        env={**os.environ, "PATH": path, "PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
