"""Several worker processes behind one port: started, replaced when they die, and ended together."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from datastorage.errors import StartupError

POLL_S: Final = 0.1


class Supervisor(Multiprocess):
    """uvicorn's supervisor, with an end that can be hurried and that tells how it came about."""

    _is_interrupted = False

    def run(self) -> None:
        """Until the end. Errors: StartupError when a worker cannot start, KeyboardInterrupt on Ctrl-C."""
        super().run()
        if any(process.exitcode == STARTUP_FAILURE for process in self.processes):
            raise StartupError("a worker could not start; what it logged says why")
        if self._is_interrupted:
            raise KeyboardInterrupt

    def init_processes(self) -> None:
        """Starts the first workers."""
        with _interrupt_held_back():
            super().init_processes()

    def keep_subprocess_alive(self) -> None:
        """Replaces workers that died or hang."""
        with _interrupt_held_back():
            super().keep_subprocess_alive()

    def handle_int(self) -> None:
        """Ctrl-C; a terminal has sent it to the workers too."""
        self._is_interrupted = True
        super().handle_int()

    def join_all(self) -> None:
        """Waits for the workers; a signal that comes meanwhile is passed on, so that they hurry."""
        while any(process.process.is_alive() for process in self.processes):
            if self.signal_queue:
                self.signal_queue.clear()
                self.terminate_all()
            time.sleep(POLL_S)
        super().join_all()


@contextmanager
def _interrupt_held_back() -> Iterator[None]:
    """Workers are born with Ctrl-C held back, and let it through when they can end in good order."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
