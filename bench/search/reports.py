"""Data sets of reports with their known duplicates, and how a report becomes a remediation and a question.

A set is two files: `<set>.docs.jsonl.gz` (id, title, text, group, component, time) and `<set>.qrels.jsonl.gz` (qid,
rel: the ids of its duplicates).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FREE_TEXT_BYTES_MAX = 10 * 1024


@dataclass(frozen=True)
class Question:
    """A report that has duplicates in the set."""

    id: str
    text: str
    at: str
    relevant: frozenset[str]


def documents(folder: Path, name: str) -> list[dict[str, Any]]:
    """The reports of a set."""
    return list(_lines(folder / f"{name}.docs.jsonl.gz"))


def questions(folder: Path, name: str) -> list[Question]:
    """The reports that are asked for."""
    docs = {report["id"]: report for report in documents(folder, name)}
    return [
        Question(
            line["qid"],
            f"{docs[line['qid']]['title']}\n{docs[line['qid']]['text'] or ''}",
            moment(docs[line["qid"]]),
            frozenset(line["rel"]),
        )
        for line in _lines(folder / f"{name}.qrels.jsonl.gz")
    ]


def remediation(report: dict[str, Any]) -> dict[str, Any]:
    """The create input for a report: its title is the headline, its text the error message."""
    text = (report["text"] or "").encode()[:FREE_TEXT_BYTES_MAX].decode(errors="ignore")
    return {
        "remediationRequestId": report["id"],
        "name": slug(report["id"], "report"),
        "namespace": slug(report["group"], "none"),
        "phase": "COMPLETED",
        "actionType": "fix",
        "startTime": moment(report),
        "alertFingerprint": report["id"],
        "severity": "UNKNOWN",
        "environment": "production",
        "clusterName": "reports",
        "targetResource": f"Component/{slug(report['component'], 'none')}",
        "errorMessage": text or None,
        "metadata": {"title": report["title"]},
    }


def moment(report: dict[str, Any]) -> str:
    """When it was reported, with a time zone."""
    time = str(report["time"])
    return time if re.search(r"(Z|[+-]\d\d:?\d\d)$", time) else f"{time}Z"


def slug(text: str | None, default: str) -> str:
    """A name that fits the grammar of namespaces."""
    return re.sub(r"[^a-z0-9]+", "-", (text or "").lower()).strip("-")[:200] or default


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)
