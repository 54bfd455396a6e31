"""Where, when and on what it was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from bench.speed.database import Database
from bench.speed.measuring import Plan

from datastorage import __version__


def about(plan: Plan, database: Database) -> dict[str, Any]:
    """What a reader has to know of a run."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "version": __version__,
        "commit": _commit(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "postgresql": database.ask("SHOW server_version")[0][0].split()[0],
        "rows": plan.rows,
        "seconds": plan.seconds,
        "rounds": plan.rounds,
        "load_before": round(os.getloadavg()[2], 1),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return done.stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine()
    )
