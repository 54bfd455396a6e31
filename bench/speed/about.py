"""Where, when and on what it was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench.speed.measuring import Plan
from datastorage import __version__


def about(plan: Plan) -> dict[str, Any]:
    """What a reader has to know of a run."""
    database = next(iter(plan.samples.values())).database
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "version": __version__,
        "commit": _commit(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "postgresql": database.ask("SHOW server_version")[0][0].split()[0],
        "seconds": plan.seconds,
        "rounds": plan.rounds,
        "databases": [
            {
                "rows": rows,
                "texts": sample.database.ask("SELECT count(*) FROM incident_embedding")[0][0],
                "mb": round(sample.database.size_mb()),
            }
            for rows, sample in plan.samples.items()
        ],
    }


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    folder = Path(__file__).parent
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder).stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.split(": ", 1)[1] for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
