"""Somebody who asks a service for everything it does, so that every metric moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from support.records import remediation_input
from support.service import Service

CREATE = (
    """mutation($i: [CreateRemediationAuditInput!]!) { createRemediationAudits(inputs: $i) { __typename } }"""
)
CREATE_ONE = (
    """mutation($i: CreateRemediationAuditInput!) { createRemediationAudit(input: $i) { __typename } }"""
)
UPDATE = """mutation($i: UpdateRemediationAuditInput!) { updateRemediationAudit(input: $i) { __typename } }"""
AROUND = """
mutation($a: CreateAiAnalysisAuditInput!, $w: CreateWorkflowAuditInput!, $e: CreateExecutionAuditInput!) {
  createAiAnalysisAudit(input: $a) { __typename }
  createWorkflowAudit(input: $w) { __typename }
  createExecutionAudit(input: $e) { __typename }
}
"""
QUESTIONS = (
    '{ remediationAudit(requestId: "rr-0") { name errorMessage(format: HTML) } }',
    "{ remediationAudits(first: 5) { nodes { name } } }",
    '{ remediationAudits(first: 5, filter: {namespace: {eq: "payments"}}) { nodes { name } } }',
    "{ remediationStats(groupBy: [STATUS]) { count } }",
    '{ similarIncidents(text: "memory was exhausted") { hits { similarity } } }',
)
TROUBLES = (
    "memory was exhausted",
    "disk is full",
    "queue grows <b>fast</b>",
    "token=sk-ant-REDACTME0123456789abc",
)
ENDS = ("COMPLETED", "COMPLETED", "FAILED", "PROCESSING", "PENDING")


def rounds(service: Service) -> Iterator[int]:
    """Each round asks for everything once; yields its number."""
    number = 0
    while True:
        _write(service, number)
        for question in QUESTIONS:
            service.ask(question)
        _ask_in_vain(service)
        yield number
        number += 1


def _write(service: Service, number: int) -> None:
    service.ask(CREATE, i=[_incident(4 * number + part) for part in range(4)])
    service.ask(UPDATE, i={"requestId": f"rr-{4 * number}", "resolution": f"restarted, {number}"})
    key, when = f"k-{number}", "2026-01-01T12:00:00Z"
    service.ask(
        AROUND,
        a={"analysisId": key, "remediationRequestId": f"rr-{4 * number}", "provider": "anthropic", "model": "m",
           "confidenceScore": 0.9, "tokensUsed": 7, "analysisDurationMs": 9, "rootCause": TROUBLES[number % 4]},
        w={"workflowId": key, "remediationRequestId": f"rr-{4 * number}", "phase": "EXECUTING", "totalSteps": 2,
           "completedSteps": 1, "startTime": when},
        e={"executionId": key, "workflowId": key, "actionType": "restart_pod", "targetResource": "Pod/a",
           "success": True, "startTime": when, "executionTimeMs": 5},
    )  # fmt: skip


def _ask_in_vain(service: Service) -> None:
    """What a caller gets wrong."""
    service.ask(CREATE_ONE, i=remediation_input(name="<script>", severity="HIGH", namespace=" "))
    service.ask(CREATE_ONE, i=_incident(0) | {"severity": "LOW"})
    service.ask(UPDATE, i={"requestId": "rr-nowhere", "phase": "PROCESSING"})


def _incident(number: int) -> dict[str, Any]:
    phase = ENDS[number % len(ENDS)]
    start = datetime.now(UTC) - timedelta(minutes=7 * number % 3_000)
    ended = phase in ("COMPLETED", "FAILED")
    return remediation_input(
        remediationRequestId=f"rr-{number}",
        name=f"incident-{number}",
        namespace=("payments", "shop", "search")[number % 3],
        clusterName=("prod-eu-1", "prod-us-1")[number % 2],
        severity=("CRITICAL", "HIGH", "LOW")[number % 3],
        actionType=("restart_pod", "rollback_deployment")[number % 2],
        phase=phase,
        startTime=start.isoformat(),
        endTime=(start + timedelta(seconds=30 + number % 90)).isoformat() if ended else None,
        errorMessage=f"{TROUBLES[number % 4]} in {chr(97 + number % 26) * (2 + number // 26)} ",
    )
