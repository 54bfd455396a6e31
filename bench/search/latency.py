"""Asks a running service for the incidents most similar to the first reports of a file, and prints latencies.

    python bench/search/latency.py FOLDER SET [URL] [QUERIES]

One client, one question at a time; the text of a question is a report's title and text.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import httpx
from reports import documents

ROWS = 10  # as the query asks
QUERY = """
query Similar($text: String!, $filters: RemediationAuditFilter) {
  similarIncidents(text: $text, filters: $filters, first: 10) {
    exhaustive hits { similarity incident { remediationRequestId metadata } }
  }
}
"""
FILTERS = {
    "no filter": None,
    "one namespace": {"namespace": {"eq": "timob"}},
    "last years": {"startTime": {"gte": "2017-01-01T00:00:00Z"}},
}


def main() -> None:
    """Prints p50 and p95 in milliseconds for each kind of filter, and one answer to look at."""
    if len(sys.argv) < 3:  # noqa: PLR2004 -- folder and set
        sys.exit(__doc__)
    folder, name, url, count = (*sys.argv[1:], *["http://127.0.0.1:8080", "200"][len(sys.argv) - 3 :])[:4]
    texts = [
        f"{report['title']}\n{report['text'] or ''}" for report in documents(Path(folder), name)[: int(count)]
    ]
    with httpx.Client(base_url=url, timeout=60) as client:
        for name, filters in FILTERS.items():
            took = []
            for text in texts:
                started = time.perf_counter()
                answer = client.post(
                    "/graphql", json={"query": QUERY, "variables": {"text": text, "filters": filters}}
                )
                took.append((time.perf_counter() - started) * 1000)
                found = answer.json()["data"]["similarIncidents"]
                assert len(found["hits"]) == ROWS, found  # noqa: S101 -- a bench that asks for nothing is none
            p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
            print(f"{name:15} {len(took)} questions  p50 {p50:6.1f} ms  p95 {p95:6.1f} ms")
        print(f"\nasked: {texts[-1].splitlines()[0]}")
        for hit in found["hits"][:5]:
            print(f"  {hit['similarity']:.3f}  {hit['incident']['metadata']['title']}")


if __name__ == "__main__":
    main()
