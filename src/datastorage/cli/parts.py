"""The parts of the service for commands that work without a server."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from datastorage.app import dependencies, prepare_database
from datastorage.db import migrations
from datastorage.db.location import located
from datastorage.errors import StartupError
from datastorage.services.dependencies import Dependencies
from datastorage.settings import Settings

T = TypeVar("T")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Dependencies]:
    """Database and services, checked and migrated as `serve` would. Errors: OperatorError."""
    context = located(settings)
    url = await asyncio.to_thread(context.__enter__)
    try:
        await prepare_database(url, settings)
        state = await migrations.read_state(url)
        if not state.good:
            raise StartupError(f"the database schema {state.describe()}")
        async with dependencies(url, settings) as deps:
            yield deps
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's coroutine."""
    return uvloop.run(work)


def command() -> str:
    """How this command line was called, for hints that can be pasted."""
    called = Path(sys.argv[0])
    if called.name != "datastorage":
        return "python -m datastorage"
    return "datastorage" if shutil.which("datastorage") else os.path.relpath(called)
