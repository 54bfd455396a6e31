"""Where an export goes: standard output, or a file that is there when it is whole, and not before."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from datastorage.errors import OperatorError

STANDARD_OUTPUT: Final = Path("-")
COMPRESSION_LEVEL: Final = 6  # 9 takes four times as long, for a file 1 % smaller


class ReaderGone(Exception):
    """Whoever read standard output has had enough, as `head` has after ten lines."""


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Writes all of them."""


class StandardOutput:
    """Standard output, as bytes."""

    def write(self, data: bytes, /) -> None:
        """Errors: ReaderGone."""
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # What is still buffered would be tried again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise ReaderGone from None


@contextmanager
def opened_output(path: Path, *, overwrite: bool) -> Iterator[Sink]:
    """Standard output for `-`; a file appears under its name when the block ends well.

    Errors: OperatorError for a file that is there already.
    """
    if path == STANDARD_OUTPUT:
        yield StandardOutput()
        return
    file = path.resolve()  # of a link, what it leads to
    _refuse_existing(file, overwrite=overwrite)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as raw:
            if file.suffix == ".gz":
                with gzip.GzipFile("", "wb", COMPRESSION_LEVEL, raw) as packed:
                    yield packed
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        _refuse_existing(file, overwrite=overwrite)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _refuse_existing(file: Path, *, overwrite: bool) -> None:
    if not file.exists():
        return
    if not file.is_file():
        raise OperatorError(f"cannot write to {file}: it is no regular file")
    if not overwrite:
        raise OperatorError(f"{file} is there already; --force overwrites it")
