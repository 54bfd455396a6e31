"""The disk below PostgreSQL fills up while clients write, and has room again."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from support.breaking import BreakableServer, Serving
from support.load import Load
from support.settling import Audit

MIB = 1024 * 1024


@pytest.fixture
def small_disk(breakable_cluster: BreakableServer, writes: int) -> Iterator[Path]:
    """The data directory, moved to a file system with room for the test and little more."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    data = breakable_cluster.server.data
    aside = data.with_name("data-aside")
    data.rename(aside)
    data.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={256 + writes // 20}m,mode=700", "tmpfs", data],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        if mounted.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
        subprocess.run(["cp", "-a", f"{aside}/.", data], check=True)
        yield data
    finally:
        breakable_cluster.end()
        if mounted.returncode == 0:
            subprocess.run(["umount", data], check=True)
        shutil.rmtree(data)
        aside.rename(data)


async def test_a_full_disk_loses_doubles_and_halves_nothing(
    small_disk: Path,
    breakable: BreakableServer,
    breakable_url: URL,
    serving: Serving,
    writes: int,
    audited: Audit,
) -> None:
    ballast = small_disk / "ballast"
    with serving(breakable_url, POOL_ACQUIRE_TIMEOUT_S=2) as service:
        load = Load(service.urls, writes)
        async with load.running():
            await load.reached(0.4)
            filling = asyncio.create_task(_filled(ballast))
            await load.troubled(20, "UNAVAILABLE")
            filling.cancel()
            ballast.unlink()
            if not breakable.runs:  # it gives up when the log itself finds no room
                await asyncio.to_thread(breakable.start)

        figures = await audited(breakable_url, load, service)

    assert figures.flawless
    assert figures.acknowledged >= writes


async def _filled(ballast: Path) -> None:
    """Takes all the room, and whatever PostgreSQL gives back, until cancelled."""
    with ballast.open("wb", buffering=0) as file:
        while True:
            try:
                os.write(file.fileno(), bytes(MIB))
            except OSError:
                await asyncio.sleep(0.05)
