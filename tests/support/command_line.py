"""The command line, imported once and forked for each command: importing it anew would take longer than the test.

`python -m support.command_line` is the process that forks; `CommandLine` is what tests use.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from support.helper_program import HelperProgram

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


class CommandLine(HelperProgram):
    """Runs commands, one after the other, in processes of their own."""

    def __init__(self) -> None:
        super().__init__("support.command_line")

    def run(self, *arguments: str, variables: Mapping[str, str]) -> Ended:
        """Runs `datastorage` with these arguments and, of our variables, only these."""
        return Ended(*self.answer(arguments, dict(variables)))


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
