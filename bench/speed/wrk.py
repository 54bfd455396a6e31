"""wrk as the client: closed loop, one thread, and a script that looks at every answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).with_name("wrk.lua")
TIMEOUT_S: Final = 30


class RunFailed(Exception):
    """A client could not do its work, or got answers that are none."""


@dataclass(frozen=True)
class Load:
    """What is asked, and by how many at once."""

    url: str
    bodies: Sequence[str]
    marker: str  # every good answer has it
    connections: int


@dataclass(frozen=True)
class Answered:
    """What a client saw."""

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    bad: int = 0  # answers that were not what was asked for
    sample: str = ""  # one of these

    @property
    def per_s(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def ask(load: Load, seconds: float, run: int) -> Answered:
    """Asks for some seconds. Errors: RunFailed."""
    if shutil.which("wrk") is None:
        raise RunFailed("wrk is missing: apt-get install wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as bodies:
        bodies.write("\n".join(load.bodies) + "\n")
        bodies.flush()
        done = subprocess.run(
            [
                *("wrk", "--threads", "1", "--connections", str(load.connections)),
                *("--duration", f"{max(1, round(seconds))}s", "--timeout", f"{TIMEOUT_S}s"),
                *("--script", str(SCRIPT), load.url, "--", bodies.name, load.marker, str(run)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    return read(done.stdout, done.stderr)


def read(output: str, complaints: str = "") -> Answered:
    """What the script printed. Errors: RunFailed."""
    lines = dict(
        line.split(" ", 1) for line in output.splitlines() if line.startswith(("RESULT ", "SAMPLE "))
    )
    if "RESULT" not in lines:
        raise RunFailed(f"wrk has not measured anything: {complaints or output}")
    seen = json.loads(lines["RESULT"])
    return Answered(
        requests=seen["requests"],
        seconds=seen["duration_us"] / 1e6,
        p50_ms=seen["p50_us"] / 1e3,
        p95_ms=seen["p95_us"] / 1e3,
        p99_ms=seen["p99_us"] / 1e3,
        bad=seen["bad"] + seen["broken"],
        sample=lines.get("SAMPLE", ""),
    )
