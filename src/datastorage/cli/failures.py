"""Errors at the command line: one clear message on stderr and an exit code, no stack trace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from datastorage.errors import DataStorageError


@contextmanager
def told() -> Iterator[None]:
    """Prints what this product raises on purpose, and ends with exit code 1."""
    try:
        yield
    except DataStorageError as error:
        sys.stderr.write(f"datastorage: {error}\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
