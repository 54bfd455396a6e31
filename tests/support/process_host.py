"""Processes forked from one that has imported what they need: importing it anew for each would take longer than the test.

`python -m support.process_host MODULE:FUNCTION MODULE…` is the process that forks; `ProcessHost` is what tests use.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import psutil

from support.helper_program import HelperProgram

STREAMS = ("stdout", "stderr")


class Forked:
    """A forked process; of `subprocess.Popen` what tests need. How it ended only its host could know."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = psutil.Process(pid)

    def poll(self) -> int | None:
        """None while it runs."""
        return None if self._process.is_running() else 0

    def wait(self, timeout: float | None = None) -> int:
        self._process.wait(timeout)
        return 0

    def send_signal(self, number: int) -> None:
        """To who has ended already, nothing."""
        if self.poll() is None:
            os.kill(self.pid, number)


class ProcessHost(HelperProgram):
    """Starts processes that call one function, each in a session of its own; they end with the host."""

    def __init__(self, function: str, *imported: str) -> None:
        super().__init__("support.process_host", function, *imported)

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        place: Path | None = None,
    ) -> Forked:
        """Forks one; in its place it says what it has to say, in files named like the streams."""
        return Forked(self.answer(arguments, dict(environment or os.environ), place and str(place)))


def serve(function: str, *imported: str) -> None:
    """Forks a process for each line, and answers with its number; ends all of them when there are no more lines."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    module, _, name = function.partition(":")
    call = getattr(import_module(module), name)
    for other in imported:
        import_module(other)
    numbers = []
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            try:
                _begin(*json.loads(line))
                call()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(0)
        numbers.append(number)
        print(number, flush=True)  # noqa: T201 - the answer
    for number in numbers:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _begin(arguments: list[str], environment: dict[str, str], place: str | None) -> None:
    """What elsewhere is done between fork and exec."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in enumerate(STREAMS, 1):
        os.dup2(os.open(Path(place, name) if place else os.devnull, os.O_WRONLY), number)
    os.chdir(place or "/")
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = arguments


if __name__ == "__main__":
    serve(*sys.argv[1:])
