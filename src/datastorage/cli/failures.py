"""The end of a command that cannot go on: one clear message on stderr and an exit code, no stack trace."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from datastorage.errors import DataStorageError


@contextmanager
def told() -> Iterator[None]:
    """Prints what this product raises on purpose, and ends with exit code 1.

    A command that is told to end closes what it has opened, so that no embedded database stays behind.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _end)
    try:
        yield
    except DataStorageError as error:
        sys.stderr.write(f"datastorage: {error}\n")
        raise SystemExit(1) from None
    except OSError as error:  # a file of the user's that cannot be read or written
        sys.stderr.write(
            f"datastorage: {error.strerror}: {error.filename}\n"
            if error.filename
            else f"datastorage: {error}\n"
        )
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
