"""The command line, imported once and forked for each command: importing it anew would take longer than the test.

`python -m support.command_line` is the process that forks; `CommandLine` is what tests use.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

SAID_BYTES_MAX = 1_000_000


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All of it in one line."""
        return " ".join((self.out + self.err).split())


class CommandLine:
    """Runs commands, one after the other, in processes of their own."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.command_line"],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
        assert self._process.returncode == 0

    def run(self, *arguments: str, variables: Mapping[str, str]) -> Ended:
        """Runs `datastorage` with these arguments and, of our variables, only these."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([arguments, dict(variables)]), file=self._process.stdin, flush=True)
        return Ended(*json.loads(self._process.stdout.readline()))


def serve() -> None:
    """Answers each line of arguments and variables with a line that says how the command ended."""
    from datastorage.cli import COMMANDS, main  # noqa: PLC0415 -- only in this process

    for command in COMMANDS.values():
        command.load()
    for line in sys.stdin:
        arguments, variables = json.loads(line)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                os.chdir("/")
                for name in [name for name in os.environ if name.startswith("DATASTORAGE_")]:
                    del os.environ[name]
                os.environ.update(variables)
                sys.argv = ["datastorage", *arguments]
                sys.exit(main())
            _, status = os.waitpid(child, 0)
            said = [os.pread(file.fileno(), SAID_BYTES_MAX, 0).decode() for file in (out, err)]
        sys.stdout.write(json.dumps([os.waitstatus_to_exitcode(status), *said]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
