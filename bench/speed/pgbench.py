"""pgbench as the client: the bare statement, with nothing between it and PostgreSQL."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
from importlib import util
from pathlib import Path
from typing import Final

from bench.speed.database import Database
from bench.speed.wrk import Answered, RunFailed
from datastorage.db.embedded.binaries import INSTALLATION, PACKAGE

PROGRAM: Final = Path(str(util.find_spec(PACKAGE).origin)).parent / INSTALLATION / "bin" / "pgbench"  # type: ignore[union-attr]
_TRANSACTIONS: Final = re.compile(r"transactions actually processed: (\d+)")
_FAILED: Final = re.compile(r"failed transactions: (\d+)")


def ask(database: Database, script: str, seconds: float, connections: int, rows: int) -> Answered:
    """Runs a script of pgbench's for some seconds. Errors: RunFailed."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "script").write_text(script)
        done = subprocess.run(
            [
                *(str(PROGRAM), "--no-vacuum", "--protocol", "prepared", "--file", str(place / "script")),
                *(
                    "--define",
                    f"rows={rows}",
                    "--client",
                    str(connections),
                    "--time",
                    str(max(1, round(seconds))),
                ),
                *("--log", "--log-prefix", str(place / "log")),
            ],
            env={**os.environ, **database.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        taken_ms = sorted(
            int(line.split()[2]) / 1000 for log in place.glob("log.*") for line in log.open() if line.strip()
        )
    return read(done.stdout, done.stderr, taken_ms, seconds)


def read(output: str, complaints: str, taken_ms: list[float], seconds: float) -> Answered:
    """What pgbench printed, and the latencies of its log. Errors: RunFailed."""
    counted, failed = _TRANSACTIONS.search(output), _FAILED.search(output)
    if counted is None or len(taken_ms) < 2:  # noqa: PLR2004 -- two points make a distribution
        raise RunFailed(f"pgbench has not measured anything: {complaints or output}")
    cuts = statistics.quantiles(taken_ms, n=100)
    return Answered(
        requests=int(counted[1]),
        seconds=max(1, round(seconds)),
        p50_ms=cuts[49],
        p95_ms=cuts[94],
        p99_ms=cuts[98],
        bad=int(failed[1]) if failed else 0,
    )
