"""Writes prometheusrule.yaml, the alerts as a resource of the Prometheus operator. Called by `make alerts`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
HEAD = """\
# Written by `make alerts` from alerts.yaml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: data-storage-service
  labels:
    app: data-storage-service
spec:
"""


def resource(rules: str) -> str:
    """The file of rules below a `spec`."""
    groups = rules[rules.index("groups:") :]
    return HEAD + "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))


if __name__ == "__main__":
    sys.stdout.write(resource((HERE / "alerts.yaml").read_text()))
