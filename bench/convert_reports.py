"""Turns bug reports (JSONL: id, title, text, group, component, time) into remediation audits to import.

    python bench/convert_reports.py reports.jsonl.gz > audits.jsonl
    datastorage import audits.jsonl

Each report becomes one completed remediation: its title is the headline, its text the error message.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FREE_TEXT_BYTES_MAX = 10 * 1024


def slug(text: str | None, default: str) -> str:
    """A name that fits the grammar of namespaces."""
    return re.sub(r"[^a-z0-9]+", "-", (text or "").lower()).strip("-")[:200] or default


def cut(text: str) -> str:
    """At most 10 KiB of UTF-8, not in the middle of a character."""
    return text.encode()[:FREE_TEXT_BYTES_MAX].decode(errors="ignore")


def audit(report: dict[str, Any]) -> dict[str, Any]:
    """The create input for one report."""
    moment = report["time"] if re.search(r"(Z|[+-]\d\d:?\d\d)$", report["time"]) else report["time"] + "Z"
    return {
        "record": "remediationAudit",
        "remediationRequestId": report["id"],
        "name": slug(report["id"], "report"),
        "namespace": slug(report["group"], "none"),
        "phase": "COMPLETED",
        "actionType": "fix",
        "startTime": moment,
        "alertFingerprint": report["id"],
        "severity": "UNKNOWN",
        "environment": "production",
        "clusterName": "reports",
        "targetResource": f"Component/{slug(report['component'], 'none')}",
        "errorMessage": cut(report["text"] or ""),
        "metadata": {"title": report["title"]},
    }


def reports(file: Path) -> Iterator[dict[str, Any]]:
    """The reports of a file, gz or not."""
    with (
        gzip.open(file, "rt", encoding="utf-8")
        if file.suffix == ".gz"
        else file.open(encoding="utf-8") as lines
    ):
        yield from map(json.loads, lines)


def main() -> None:
    """Writes the audits of all files named on the command line."""
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        for report in reports(Path(name)):
            sys.stdout.write(json.dumps(audit(report), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
