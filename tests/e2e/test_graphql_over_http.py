"""The public audits of GraphQL over HTTP, made by npm's graphql-http, against a started service."""

import subprocess
import sys
from pathlib import Path

from support.service import Service

NODE = Path(__file__).parents[2] / "compat" / "node.py"


def test_the_service_passes_every_must_and_should(service: Service) -> None:
    audited = audit(f"{service.url}/graphql")

    assert audited.returncode == 0, audited.stdout + audited.stderr
    assert audited.stdout.endswith("61 audits, 0 failures of a MUST or SHOULD\n")


def test_a_server_that_speaks_no_graphql_fails(service: Service) -> None:
    audited = audit(f"{service.url}/health")

    assert audited.returncode == 1, audited.stdout + audited.stderr
    assert "0 failures" not in audited.stdout


def audit(url: str) -> subprocess.CompletedProcess[str]:
    """Runs the audits; the npm packages are installed unless they are there already."""
    return subprocess.run(
        [sys.executable, NODE, "audit.mjs", url], capture_output=True, text=True, check=False
    )
