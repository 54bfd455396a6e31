"""How each peer is started: one process, as its documentation has it in production."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.speed.database import Database
from bench.speed.names import FLOOR, POSTGRAPHILE, SERVICE, STRAWBERRY
from bench.speed.peers import postgraphile
from bench.speed.peers.process import Running, free_port, running

ROOT: Final = Path(__file__).parents[3]


@contextmanager
def started(name: str, database: Database, logs: Path, settings: Mapping[str, str]) -> Iterator[Running]:
    """A peer on the database; `settings` are the service's, by their names."""
    port = free_port()
    environment = {**database.environment, "PYTHONPATH": str(ROOT)}
    match name:
        case _ if name == SERVICE:
            command = [
                sys.executable,
                "-m",
                "datastorage",
                "serve",
                "--port",
                str(port),
                "--metrics-port",
                "0",
            ]
            given = {"DATA_DIR": str(database.data_dir), "DRAIN_S": "0", **settings}
            environment |= {f"DATASTORAGE_{key}": value for key, value in given.items()}
        case _ if name == POSTGRAPHILE:
            postgraphile.install()
            command = [str(postgraphile.NODE), str(postgraphile.SERVER)]
            url = f"postgresql:///{database.url.database}?host={database.host}&user={database.url.username}"
            environment |= {
                "PORT": str(port),
                "NODE_ENV": "production",
                "GRAPHILE_ENV": "production",
                "DATABASE_URL": url,
            }
        case _ if name == STRAWBERRY:
            command = _uvicorn("bench.peers.strawberry_app:app", port, "--lifespan", "off")
            environment["SQLALCHEMY_URL"] = database.url.render_as_string(hide_password=False)
        case _ if name == FLOOR:
            command = _uvicorn("bench.peers.asyncpg_app:app", port)
        case _:
            raise ValueError(name)
    with running(command, environment, port, logs / f"{name.replace(' ', '-')}.log") as peer:
        yield peer


def _uvicorn(app: str, port: int, *options: str) -> list[str]:
    """One process, without the log of requests."""
    return [
        *(
            sys.executable,
            "-m",
            "uvicorn",
            app,
            "--port",
            str(port),
            "--loop",
            "uvloop",
            "--http",
            "httptools",
        ),
        *("--no-access-log", "--log-level", "warning", *options),
    ]
