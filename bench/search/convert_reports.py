"""Turns the reports of a set (see `reports.py`) into remediation audits to import.

    python bench/search/convert_reports.py FOLDER SET > audits.jsonl
    datastorage import audits.jsonl

Each report becomes one completed remediation: its title is the headline, its text the error message.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from reports import documents, remediation


def main() -> None:
    """One line for each report."""
    if len(sys.argv) != 3:  # noqa: PLR2004 -- folder and set
        sys.exit(__doc__)
    for report in documents(Path(sys.argv[1]), sys.argv[2]):
        print(json.dumps({"record": "remediationAudit", **remediation(report)}, ensure_ascii=False))


if __name__ == "__main__":
    main()
