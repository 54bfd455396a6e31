"""The one PostgreSQL that all peers of a run share: the embedded one, with the service's own settings and schema."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy.engine import URL, make_url

from bench.speed.data.loading import Loader, Progress
from bench.speed.data.originals import Making
from bench.speed.wrk import RunFailed
from datastorage.db import migrations
from datastorage.db.database import Database as ServiceDatabase
from datastorage.db.embedded import open_embedded_server
from datastorage.services.term_statistics import refresh_if_due
from datastorage.settings import load_settings

CONNECTIONS_MAX: Final = 250  # of all peers together
MANIFEST: Final = "bench.json"


@dataclass(frozen=True)
class Database:
    """A running server."""

    data_dir: Path
    url: URL
    pid: int

    @property
    def host(self) -> str:
        """The folder of its socket."""
        return str(self.url.query["host"])

    @property
    def environment(self) -> dict[str, str]:
        """How libpq and its kin find it."""
        return {
            "PGHOST": self.host,
            "PGPORT": "5432",
            "PGUSER": str(self.url.username),
            "PGDATABASE": str(self.url.database),
        }

    async def connect(self) -> asyncpg.Connection:
        """A connection of one's own."""
        return await asyncpg.connect(
            host=self.host, port=5432, user=self.url.username, database=self.url.database, timeout=60
        )

    def ask(self, statement: str, *arguments: object) -> list[Any]:
        """The rows of one statement, on a connection of its own."""

        async def asked() -> list[Any]:
            connection = await self.connect()
            try:
                return list(await connection.fetch(statement, *arguments))
            finally:
                await connection.close()

        return asyncio.run(asked())

    def size_mb(self) -> float:
        """What the database takes on disk."""
        return float(self.ask("SELECT pg_database_size(current_database()) / 1048576.0 AS mb")[0]["mb"])


@contextmanager
def loaded(rows: int, making: Making, progress: Progress, kept: Path | None = None) -> Iterator[Database]:
    """A server with so many incidents, on data that are removed in the end.

    `kept`: a folder where what was loaded is kept, and taken from the next time.
    """
    wanted = {
        "rows": rows,
        "around": making.around,
        "reports": str(making.reports),
        "schema": list(migrations.known_revisions()),
    }
    if kept is not None and _manifest(kept) != wanted:
        _make_room(kept)
    with _place() as data_dir:
        if kept is not None and _manifest(kept) == wanted:
            _copy(kept, data_dir)
        else:
            with _running(data_dir) as database:
                asyncio.run(_fill(database, rows, making, progress))
            if kept is not None:
                _copy(data_dir, kept)
                (kept / MANIFEST).write_text(json.dumps(wanted))
        with _running(data_dir) as database:
            yield database


@contextmanager
def _place() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="ds-bench-", dir="/tmp"))
    place.chmod(0o755)  # the account that runs PostgreSQL for root must pass
    try:
        yield place / "data"
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _running(data_dir: Path) -> Iterator[Database]:
    with open_embedded_server(data_dir, connections_max=CONNECTIONS_MAX) as server:
        url = make_url(server.url)
        asyncio.run(migrations.upgrade(url))
        pid = int(next(data_dir.glob("postgres-*/postmaster.pid")).read_text().split()[0])
        yield Database(data_dir, url, pid)


async def _fill(database: Database, rows: int, making: Making, progress: Progress) -> None:
    """Everything that the service would have there, how common words are included."""
    await Loader(database.connect, making, progress).load(rows)
    service = ServiceDatabase.connect(database.url, load_settings())
    await refresh_if_due(service)
    await service.close()


def _manifest(kept: Path) -> dict[str, Any] | None:
    file = kept / MANIFEST
    return json.loads(file.read_text()) if file.exists() else None


def _make_room(kept: Path) -> None:
    """Removes what an earlier run has kept there, and nothing else. Errors: RunFailed."""
    if kept.exists() and any(kept.iterdir()) and not (kept / MANIFEST).exists():
        raise RunFailed(f"{kept} holds other things than data of this bench; name another folder")
    shutil.rmtree(kept, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Of a server that has stopped; with owners, which root's PostgreSQL insists on."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", source, target], check=True)
