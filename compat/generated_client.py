"""ariadne-codegen makes a client, which then writes and reads: `generated_client.py URL`."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CONFIGURATION = f"""
[tool.ariadne-codegen]
schema_path = "{HERE.parent / "schema.graphql"}"
queries_path = "{HERE / "operations.graphql"}"
target_package_path = "."
target_package_name = "generated"
async_client = false

[tool.ariadne-codegen.scalars.DateTime]
type = "datetime.datetime"

[tool.ariadne-codegen.scalars.BigInt]
type = "int"

[tool.ariadne-codegen.scalars.JSONObject]
type = "dict"
"""


def generate(folder: Path) -> Any:
    """The generated package, imported."""
    (folder / "ariadne.toml").write_text(CONFIGURATION)
    codegen = Path(sys.executable).parent / "ariadne-codegen"
    subprocess.run([codegen, "--config", "ariadne.toml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    sys.path.insert(0, str(folder))
    return importlib.import_module("generated")


def write_and_read(generated: Any, url: str) -> None:
    """One record, stored and read back with the types of the schema."""
    given = generated.CreateRemediationAuditInput(
        remediation_request_id="generated-client",
        name="payment-api-oom",
        namespace="payments",
        phase=generated.Phase.PENDING,
        action_type="restart_pod",
        start_time=datetime(2026, 1, 1, 12, tzinfo=UTC),
        alert_fingerprint="fp-1",
        severity=generated.Severity.HIGH,
        environment="production",
        cluster_name="prod-eu-1",
        target_resource="Deployment/payment-api",
        metadata={"by": "ariadne-codegen"},
    )
    with generated.Client(url=url) as client:
        stored = client.store_remediation(given).create_remediation_audit
        audit = stored.remediation_audit
        assert (audit.version, audit.start_time, audit.metadata) == (1, given.start_time, given.metadata)

        wanted = generated.RemediationAuditFilter(
            remediation_request_id=generated.StringFilter(eq=given.remediation_request_id)
        )
        (found,) = client.remediations(filter_=wanted).remediation_audits.nodes
        assert (found.id, found.phase) == (audit.id, generated.Phase.PENDING)
        assert client.any_record(audit.id).node.name == given.name


def main() -> None:
    """The command line."""
    with tempfile.TemporaryDirectory(prefix="datastorage-ariadne-") as folder:
        write_and_read(generate(Path(folder)), sys.argv[1])
    print("ariadne-codegen: the generated client wrote and read")


if __name__ == "__main__":
    main()
