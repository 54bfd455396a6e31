"""PostgreSQL's own programs, run as the server's account and undisturbed by the caller's environment."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from datastorage.db.embedded.account import Account

# No PGDATA, PGHOST, PGOPTIONS, LD_LIBRARY_PATH or locale of the caller gets through; messages are English.
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10"}
QUERY_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one PostgreSQL installation, for one account."""

    bin_dir: Path
    account: Account

    def run(self, name: str, *arguments: str, stdin: str = "", timeout_s: float | None = None) -> Outcome:
        """Runs a program to its end. Errors: OSError, subprocess.TimeoutExpired."""
        with self.start(name, *arguments) as process:
            try:
                output, _ = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Outcome(process.returncode, output)

    def start(
        self,
        name: str,
        *arguments: str,
        directory: Path = Path("/"),
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Starts a program with output and errors in one pipe.

        Descriptors are closed for it: a lock that leaked into the server would outlive its holder.
        """
        options: dict[str, Any] = self.account.process_options()
        return subprocess.Popen(  # noqa: S603  (programs of our own installation, no shell)
            [str(self.bin_dir / name), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            cwd=directory,
            env={**ENVIRONMENT, **(variables or {})},
            close_fds=True,
            **options,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, and what it said."""

    status: int
    output: str

    @property
    def ok(self) -> bool:
        """Whether the program succeeded."""
        return self.status == 0
