"""A program of the tests beside them: it answers each line of JSON with a line, and ends when there are no more."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class HelperProgram:
    """A module below `tests`, run by itself for as long as the block lasts."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
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

    def answer(self, *given: Any) -> Any:
        """What it says to that."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(given), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())
