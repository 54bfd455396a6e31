"""The previous release as it was: its sources, unpacked, run by this interpreter in place of today's."""

import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from support.service import COMMAND, PATIENCE_S, environment

# Kept in the repository, so that a clone without history has it; made as docs/upgrade.md says.
(ARCHIVE,) = (Path(__file__).parents[1] / "upgrade").glob("release-*.tar.xz")


@dataclass(frozen=True)
class PreviousRelease:
    """Where its sources are."""

    place: Path

    @classmethod
    def unpacked(cls, place: Path) -> "PreviousRelease":
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(place, filter="data")
        return cls(place)

    def environment(self, database: URL) -> Mapping[str, str]:
        """The variables of a process that is to run it."""
        return {**environment(database), "PYTHONPATH": str(self.place / "src")}

    def run(self, database: URL, *arguments: str) -> str:
        """Runs one of its commands, and returns what it said."""
        return ran(self.environment(database), *arguments)


def ran(variables: Mapping[str, str], *arguments: str) -> str:
    """Runs `datastorage`. Errors: AssertionError with what it said."""
    assert COMMAND[0] == sys.executable
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=dict(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
