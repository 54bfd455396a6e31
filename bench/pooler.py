"""What PgBouncer between the service and PostgreSQL costs: the same requests with it and without, in turns.

    PYTHONPATH=tests python bench/pooler.py [rounds]

Starts an embedded PostgreSQL, PgBouncer in transaction mode with 20 sessions, and two services. wrk (Debian) asks each
for a list and for creates, 16 and 64 connections. Prints medians of requests a second and their ratio.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import URL, make_url

from datastorage.db.embedded import open_embedded_server
from support.pgbouncer import pgbouncer
from support.service import Service, data_place, environment, started

SECONDS: Final = 4
CREATE: Final = """
local number, run = 0, RUN
request = function()
  number = number + 1
  local key = run .. "-" .. number .. "-" .. tostring({}):sub(8)
  return wrk.format("POST", "/graphql", {["content-type"] = "application/json"}, [[{"query": "mutation ($k: String!) { createRemediationAudit(input: {remediationRequestId: $k, name: \\"a\\", namespace: \\"n\\", phase: PENDING, actionType: \\"restart\\", startTime: \\"2026-01-01T00:00:00Z\\", alertFingerprint: \\"f\\", severity: HIGH, environment: \\"p\\", clusterName: \\"c\\", targetResource: \\"Pod/x\\"}) { __typename } }", "variables": {"k": "]] .. key .. [["}}]])
end
"""
LIST: Final = """
wrk.method, wrk.path, wrk.headers["content-type"] = "POST", "/graphql", "application/json"
wrk.body = [[{"query": "{ remediationAudits(first: 20) { nodes { id name namespace phase severity startTime } } }"}]]
"""
QUESTIONS: Final = {"list": (LIST, 16), "create": (CREATE, 64)}
_RATE: Final = re.compile(r"Requests/sec:\s+([\d.]+)")


def rate(service: Service, script: str, connections: int, folder: str, run: int) -> float:
    """Requests a second. Errors: SystemExit if any was not answered."""
    file = Path(folder) / "ask.lua"
    file.write_text(script.replace("RUN", f'"run-{run}"'))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "-s", str(file), service.url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(said)
    return float(_RATE.findall(said)[0])


def measured(direct: Service, pooled: Service, rounds: int) -> Table:
    """Both in turns."""
    table = Table("", "direct /s", "through PgBouncer /s", "ratio")
    runs = iter(range(1_000))
    with tempfile.TemporaryDirectory() as folder:
        for name, (script, connections) in QUESTIONS.items():
            rates: tuple[list[float], list[float]] = ([], [])
            for _ in range(rounds + 1):
                for service, of_service in zip((direct, pooled), rates, strict=True):
                    of_service.append(rate(service, script, connections, folder, next(runs)))
            without, with_it = (
                statistics.median(of_service[1:]) for of_service in rates
            )  # the first warms up
            table.add_row(name, f"{without:,.0f}", f"{with_it:,.0f}", f"{with_it / without:.2f}")
    return table


def main() -> None:
    """The command line."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    settings = {
        "RATE_LIMIT_PRINCIPAL_PER_S": 0,
        "EMBEDDING_PROVIDER": "none",
        "MIGRATE_ON_START": "true",
        "POOL_SIZE": 30,
    }
    with (
        data_place() as place,
        open_embedded_server(place / "pg", connections_max=120) as server,
    ):
        database: URL = make_url(server.url)
        with started(environment(database, **settings)) as direct:
            direct.await_start()
            behind = settings | {"MIGRATE_ON_START": "false", "DATABASE_POOLER": "transaction"}
            with pgbouncer(database, sessions=20) as url, started(environment(url, **behind)) as pooled:
                Console().print(measured(direct, pooled.await_start(), rounds))


if __name__ == "__main__":
    main()
