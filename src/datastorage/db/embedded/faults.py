"""Failures of PostgreSQL's programs and of the file system, in words for the person who runs the service."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from datastorage.errors import EmbeddedServerError

LINES_SHOWN: Final = 12
# What PostgreSQL says, and what helps. It speaks English, because programs.py asks it to.
REMEDIES: Final = {
    "could not resize shared memory segment": "the file system of shared memory is full: enlarge it",
    "No space left on device": "the disk is full: free some space, or choose another DATASTORAGE_DATA_DIR",
    "Disk quota exceeded": "the disk quota is used up: free some space, or choose another DATASTORAGE_DATA_DIR",
    "Read-only file system": "the file system is read-only: choose another DATASTORAGE_DATA_DIR",
    "could not map anonymous shared memory": "too little memory is free: stop other programs",
    "could not create shared memory segment": "shared memory is used up: stop other programs, or raise kernel.shmmni",
    "is still in use": "processes of an earlier server still run: wait a moment, then start again",
    "configuration file": "undo the last change of its settings (postgresql.conf or postgresql.auto.conf)",
}


def command_failed(attempt: str, place: Path, output: str, remedy: str = "") -> EmbeddedServerError:
    """A program of PostgreSQL failed: what it said last, and what may help."""
    lines = [line for line in output.splitlines() if line.strip()]
    said = "\n  ".join(lines[-LINES_SHOWN:]) or "(it said nothing)"
    return EmbeddedServerError(
        f"{attempt} in {place} failed{_remedy(output) or remedy}. PostgreSQL said:\n  {said}"
    )


def start_failed(place: Path, output: str) -> EmbeddedServerError:
    """The server ended while it was starting."""
    gave_a_reason = any(sign in output for sign in ("FATAL", "PANIC"))
    killed = "; it gave no reason, so it was killed from outside: for lack of memory, perhaps (see dmesg)"
    return command_failed("starting the embedded PostgreSQL", place, output, "" if gave_a_reason else killed)


def access_failed(place: Path, error: OSError) -> EmbeddedServerError:
    """The operating system refused something about the data directory."""
    remedy = _remedy(str(error)) or "; check its owner and its rights, or choose another DATASTORAGE_DATA_DIR"
    return EmbeddedServerError(f"the data directory {place} cannot be used: {error}{remedy}")


def _remedy(text: str) -> str:
    return next((f"; {remedy}" for sign, remedy in REMEDIES.items() if sign in text), "")
