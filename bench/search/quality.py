"""Does the search find the duplicates of a report? Asks a running service, and prints how well it ranks.

    python bench/search/quality.py load FOLDER SET [--url URL]
    python bench/search/quality.py ask FOLDER SET [--url URL] [--every 2] [--from 1]

Two protocols: `all` looks among all other reports, `past` only among those that are older. Figures are means over
the questions, in per cent.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from reports import Question, documents, questions, remediation
from rich.progress import track

BATCH = 200
DEPTH, HIGH = 10, 5
CREATE = """
mutation($inputs: [CreateRemediationAuditInput!]!) {
  createRemediationAudits(inputs: $inputs) { __typename ... on UserError { message } }
}
"""
ASK = """
query($text: String!, $at: DateTime, $filters: RemediationAuditFilter, $mode: SearchMode, $first: Int) {
  similarIncidents(text: $text, at: $at, filters: $filters, mode: $mode, first: $first) {
    degradedReason hits { incident { remediationRequestId } }
  }
}
"""
MODES = ("VECTOR", "LEXICAL", "HYBRID")


def main() -> None:
    """Loads or asks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("load", "ask"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("set")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--every", type=int, default=1, help="ask every n-th question only")
    parser.add_argument("--from", dest="first", type=int, default=0, help="starting with this one, from 0")
    given = parser.parse_args()
    with httpx.Client(base_url=given.url, timeout=120) as client:
        if given.what == "load":
            load(client, documents(given.folder, given.set))
        else:
            report(client, questions(given.folder, given.set)[given.first :: given.every])


def load(client: httpx.Client, reports: Sequence[dict[str, Any]]) -> None:
    """Stores the reports; those that are there already stay as they are."""
    started = time.perf_counter()
    for place in track(range(0, len(reports), BATCH), "loading"):
        inputs = [remediation(report) for report in reports[place : place + BATCH]]
        for result in post(client, CREATE, inputs=inputs)["createRemediationAudits"]:
            if "message" in result:
                sys.exit(f"refused: {result['message']}")
    seconds = time.perf_counter() - started
    print(f"stored {len(reports)} reports in {seconds:.0f} s ({len(reports) / seconds:.0f}/s)")


def report(client: httpx.Client, asked: Sequence[Question]) -> None:
    """Prints one line for each protocol and mode."""
    print(f"{'protocol':9}{'mode':9}{'questions':>9} {'hit@1':>6} {'hit@5':>6} {'hit@10':>6} ", end="")
    print(f"{'rec@10':>6} {'MRR':>6} {'nDCG@10':>7}   p50 / p95 ms")
    for protocol in ("all", "past"):
        for mode in MODES:
            measure(client, asked, protocol, mode)


def measure(client: httpx.Client, asked: Sequence[Question], protocol: str, mode: str) -> None:
    """One line."""
    figures, took = [], []
    for question in asked:
        filters: dict[str, Any] = {"remediationRequestId": {"ne": question.id}}
        relevant = question.relevant
        if protocol == "past":
            filters["startTime"] = {"lt": question.at}
            relevant = older(client, question)
            if not relevant:
                continue
        started = time.perf_counter()
        found = post(client, ASK, text=question.text, at=question.at, filters=filters, mode=mode, first=DEPTH)
        took.append((time.perf_counter() - started) * 1000)
        hits = [hit["incident"]["remediationRequestId"] for hit in found["similarIncidents"]["hits"]]
        figures.append(graded(hits, relevant))
    means = [100 * statistics.mean(column) for column in zip(*figures, strict=True)]
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"{protocol:9}{mode:9}{len(figures):9} ", end="")
    print(" ".join(f"{mean:6.1f}" for mean in means), f"   {p50:6.1f} / {p95:6.1f}", flush=True)


OLDER: dict[str, frozenset[str]] = {}


def older(client: httpx.Client, question: Question) -> frozenset[str]:
    """Those of its duplicates that were there before it."""
    if question.id not in OLDER:
        query = "query($f: RemediationAuditFilter) { remediationAudits(filter: $f, first: 100) { nodes { remediationRequestId } } }"
        where = {
            "remediationRequestId": {"in": sorted(question.relevant)},
            "startTime": {"lt": question.at},
        }
        nodes = post(client, query, f=where)["remediationAudits"]["nodes"]
        OLDER[question.id] = frozenset(node["remediationRequestId"] for node in nodes)
    return OLDER[question.id]


def graded(hits: Sequence[str], relevant: frozenset[str]) -> tuple[float, ...]:
    """hit@1, hit@5, hit@10, recall@10, reciprocal rank, nDCG@10 of one answer."""
    places = [place for place, hit in enumerate(hits[:DEPTH], start=1) if hit in relevant]
    best = places[0] if places else math.inf
    gain = sum(1 / math.log2(place + 1) for place in places)
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(DEPTH, len(relevant)) + 1))
    return (
        float(best <= 1),
        float(best <= HIGH),
        float(best <= DEPTH),
        len(places) / len(relevant),
        1 / best,
        gain / ideal,
    )


def post(client: httpx.Client, query: str, **variables: Any) -> dict[str, Any]:
    """The data of an answer without errors."""
    answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
    if "errors" in answer:
        sys.exit(f"refused: {answer['errors']}")
    data: dict[str, Any] = answer["data"]
    return data


if __name__ == "__main__":
    main()
