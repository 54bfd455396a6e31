"""The logs of this process, through the real pipeline."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from datastorage.app import start_logging
from datastorage.settings import Settings

StartLogs = Callable[..., "Terminal"]


class Terminal(io.StringIO):
    """Standard error, as a terminal or as a pipe."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def lines(logs: Terminal) -> list[dict[str, Any]]:
    """What was logged as JSON."""
    return [json.loads(line) for line in logs.getvalue().splitlines()]


@contextmanager
def logs_to_be_started(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartLogs]:
    """Gives a function that starts them as settings say; all is put back afterwards."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level

    def start(*, is_terminal: bool = False, **settings: Any) -> Terminal:
        terminal = Terminal(is_terminal=is_terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        start_logging(Settings(_env_file=None, **settings))
        structlog.configure(cache_logger_on_first_use=False)  # the loggers are asked again by other tests
        return terminal

    yield start
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
