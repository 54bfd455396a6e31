"""Fills a running service with made-up remediations, then times lists under many filters and orders.

    python bench/list_latency.py [--url URL] [--rows 200000] [--questions 100]

One client, one question at a time; pages of 20 rows of 12 fields, the first and a later one. Rows that are there
already stay, so a second run only asks.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

BATCH = 500
START = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGES = (
    "OOMKilled: container exceeded its memory limit",
    "ImagePullBackOff: registry does not answer",
    "readiness probe failed: connection refused",
    "node is not ready: kubelet stopped posting status",
    "PVC is 97 % full",
)
CREATE = """
mutation($inputs: [CreateRemediationAuditInput!]!) {
  createRemediationAudits(inputs: $inputs) { __typename ... on UserError { message } }
}
"""
ANALYSES = """
mutation($inputs: [CreateAiAnalysisAuditInput!]!) { createAiAnalysisAudits(inputs: $inputs) { __typename } }
"""
LIST = """
query($filter: RemediationAuditFilter, $orderBy: [RemediationAuditOrder!], $after: String) {
  remediationAudits(filter: $filter, orderBy: $orderBy, first: 20, after: $after) {
    nodes {
      id remediationRequestId name namespace phase status actionType startTime endTime severity clusterName
      targetResource
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
COUNT = "query($filter: RemediationAuditFilter) { remediationAudits(filter: $filter) { totalCount(cap: 1000000) } }"


def remediation(number: int) -> dict[str, Any]:
    """The same one for the same number."""
    pick = random.Random(number)
    start = START + timedelta(seconds=60 * number + pick.randrange(60))
    phase = pick.choices(("COMPLETED", "FAILED", "PROCESSING", "PENDING"), (80, 15, 4, 1))[0]
    ended = phase in ("COMPLETED", "FAILED")
    return {
        "remediationRequestId": f"bench-{number:07}",
        "name": f"remediation-{number}",
        "namespace": f"ns-{min(int(pick.expovariate(0.2)), 49)}",
        "phase": phase,
        "actionType": pick.choice(("restart_pod", "scale_up", "rollback_deployment", "drain_node")),
        "startTime": start.isoformat(),
        "endTime": (start + timedelta(seconds=pick.randrange(1, 900))).isoformat() if ended else None,
        "alertFingerprint": f"fp-{pick.randrange(2000)}",
        "severity": pick.choice(("CRITICAL", "HIGH", "MEDIUM", "LOW")),
        "environment": pick.choice(("production", "staging")),
        "clusterName": f"cluster-{pick.randrange(5)}",
        "targetResource": f"Deployment/app-{pick.randrange(300)}",
        "errorMessage": f"{pick.choice(MESSAGES)} in app-{pick.randrange(300)}",
        "metadata": {"team": f"team-{pick.randrange(200)}", "ticket": number, "attempt": pick.randrange(5)},
    }


def analysis(number: int) -> dict[str, Any]:
    """One in a hundred remediations has been analysed."""
    return {
        "analysisId": f"bench-{number}",
        "remediationRequestId": f"bench-{number * 100:07}",
        "provider": "bench",
        "model": "bench",
        "confidenceScore": (number % 20) / 20,
        "tokensUsed": 1,
        "analysisDurationMs": 1,
    }


Pick = random.Random
QUESTIONS: dict[str, Callable[[Pick], dict[str, Any]]] = {
    "no filter": lambda _: {},
    "namespace eq": lambda pick: {"filter": {"namespace": {"eq": f"ns-{pick.randrange(10)}"}}},
    "namespace + phase": lambda pick: {
        "filter": {"namespace": {"eq": f"ns-{pick.randrange(10)}"}, "phase": {"eq": "FAILED"}}
    },
    "phase + time range": lambda pick: {
        "filter": {
            "phase": {"in": ["PROCESSING", "PENDING"]},
            "startTime": {"gte": day(pick), "lt": day(pick)},
        }
    },
    "fingerprint eq": lambda pick: {"filter": {"alertFingerprint": {"eq": f"fp-{pick.randrange(2000)}"}}},
    "request id startsWith": lambda pick: {
        "filter": {"remediationRequestId": {"startsWith": f"BENCH-0{pick.randrange(1000):03}"}}
    },
    "metadata contains": lambda pick: {
        "filter": {"metadata": {"contains": {"team": f"team-{pick.randrange(200)}"}}}
    },
    "metadata path eq": lambda pick: {
        "filter": {"metadata": {"path": [{"path": ["ticket"], "eq": pick.randrange(200_000)}]}}
    },
    "metadata path gt": lambda _: {"filter": {"metadata": {"path": [{"path": ["attempt"], "gt": 3}]}}},
    "text, common words": lambda pick: {"filter": {"text": pick.choice(MESSAGES)}},
    "text, rare words": lambda pick: {
        "filter": {"text": f"{pick.choice(MESSAGES).split()[0]} app-{pick.randrange(300)}"}
    },
    "analyses confidence < 0.5": lambda _: {
        "filter": {"analyses": {"some": {"confidenceScore": {"lt": 0.5}}}}
    },
    "no analysis": lambda _: {"filter": {"analyses": {"none": {}}}},
    "or + not": lambda pick: {
        "filter": {
            "or": [{"namespace": {"eq": f"ns-{pick.randrange(10)}"}}, {"severity": {"eq": "CRITICAL"}}],
            "not": {"actionType": {"eq": "scale_up"}},
        }
    },
    "order by duration": lambda _: {
        "orderBy": [{"field": "DURATION_MS", "direction": "DESC"}],
    },
    "namespace, order by severity, end": lambda pick: {
        "filter": {"namespace": {"eq": f"ns-{pick.randrange(10)}"}},
        "orderBy": [{"field": "SEVERITY"}, {"field": "END_TIME", "direction": "DESC", "nulls": "FIRST"}],
    },
}


def day(pick: Pick) -> str:
    """Some time within the data."""
    return (START + timedelta(days=pick.randrange(140))).isoformat()


def main() -> None:
    """Fills, asks, prints a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=100)
    given = parser.parse_args()
    with httpx.Client(base_url=given.url, timeout=120) as client:
        fill(client, given.rows)
        for name, ask in QUESTIONS.items():
            pick = random.Random(name)
            took = sorted(ms for _ in range(given.questions) for ms in asked(client, ask(pick)))
            p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
            print(f"{name:34} {len(took):4} pages  p50 {p50:7.1f} ms  p95 {p95:7.1f} ms")


def fill(client: httpx.Client, rows: int) -> None:
    """Stores what is missing."""
    there = post(client, COUNT, filter={"remediationRequestId": {"startsWith": "bench-"}})
    if there["remediationAudits"]["totalCount"] >= rows:
        return
    started = time.perf_counter()
    for first in range(0, rows, BATCH):
        inputs = [remediation(number) for number in range(first, min(first + BATCH, rows))]
        refused = [
            result
            for result in post(client, CREATE, inputs=inputs)["createRemediationAudits"]
            if "message" in result
        ]
        assert not refused, refused[0]  # noqa: S101 -- a bench on other rows would tell nothing
    for first in range(0, rows // 100, BATCH):
        post(
            client,
            ANALYSES,
            inputs=[analysis(number) for number in range(first, min(first + BATCH, rows // 100))],
        )
    seconds = time.perf_counter() - started
    print(f"stored {rows} remediations in {seconds:.0f} s, {rows / seconds:.0f}/s in batches of {BATCH}")


def asked(client: httpx.Client, variables: dict[str, Any]) -> Iterator[float]:
    """Milliseconds of the first page, and of the one after it if there is one."""
    for _ in range(2):
        started = time.perf_counter()
        page = post(client, LIST, **variables)["remediationAudits"]
        yield (time.perf_counter() - started) * 1000
        if not page["pageInfo"]["hasNextPage"]:
            return
        variables = {**variables, "after": page["pageInfo"]["endCursor"]}


def post(client: httpx.Client, query: str, **variables: Any) -> dict[str, Any]:
    """The data of an answer without errors."""
    answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer["errors"]  # noqa: S101 -- as above
    data: dict[str, Any] = answer["data"]
    return data


if __name__ == "__main__":
    main()
