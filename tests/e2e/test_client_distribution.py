"""The client's own distribution: installed alone, on the oldest versions that it says it takes, it talks to a service."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.service import PATIENCE_S, Service

ROOT = Path(__file__).parents[2]
SCRIPT = """
import asyncio, importlib.metadata, json, sys
from datetime import UTC, datetime

from datastorage.client import (
    AsyncDataStorage, CreateRemediationAuditInput, DataStorage, Phase, RemediationAuditFilter, Severity, StringFilter,
)

given = CreateRemediationAuditInput(
    remediation_request_id="distribution", name="payment-api-oom", namespace="payments", phase=Phase.PENDING,
    action_type="restart_pod", start_time=datetime(2026, 1, 1, 12, tzinfo=UTC), alert_fingerprint="fp-1",
    severity=Severity.HIGH, environment="production", cluster_name="prod-eu-1",
    target_resource="Deployment/payment-api",
)
with DataStorage(sys.argv[1]) as memory:
    first = memory.create_remediation_audit(given)

async def again():
    async with AsyncDataStorage(sys.argv[1]) as memory:
        stored = await memory.create_remediation_audit(given)
        mine = RemediationAuditFilter(remediation_request_id=StringFilter(eq="distribution"))
        listed = [audit async for audit in memory.remediation_audits(filter=mine)]
        return stored, [stored.remediation_audit] == listed

second, is_listed = asyncio.run(again())
print(json.dumps({
    "replayed": [first.receipt.replayed, second.receipt.replayed],
    "phase": second.remediation_audit.phase,
    "is_listed": is_listed,
    "distributions": sorted(each.name for each in importlib.metadata.distributions() if "datastorage" in each.name),
    "namespace": list(sys.modules["datastorage"].__path__),
    "has_init": sys.modules["datastorage"].__file__ is not None,
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that has the wheel, its dependencies in their oldest versions, and nothing else."""
    place = tmp_path_factory.mktemp("client")
    declared = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]["dependencies"]
    uv("build", "--wheel", "--out-dir", str(place), str(ROOT / "client"))
    uv("venv", "--python", sys.executable, str(place / "venv"))
    (wheel,) = place.glob("*.whl")
    oldest = [each.replace(">=", "==") + ".*" for each in declared]
    python = place / "venv" / "bin" / "python"
    uv("pip", "install", "--python", str(python), str(wheel), *oldest)
    return python


def uv(*arguments: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["uv", *arguments],
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert ran.returncode == 0, ran.stdout


def test_the_client_alone_talks_to_a_service(installed: Path, service: Service, tmp_path: Path) -> None:
    ran = subprocess.run(
        [installed, "-W", "error", "-c", SCRIPT, service.url],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=PATIENCE_S,
    )

    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told.pop("namespace") == [
        str(next(installed.parents[1].glob("lib/python*/site-packages/datastorage")))
    ]
    assert told == {
        "replayed": [False, True],
        "phase": "PENDING",
        "is_listed": True,
        "distributions": ["datastorage-client"],
        "has_init": False,
    }
