"""Records around a remediation: valid inputs, of which a test overrides what it is about."""

from typing import Any

ANALYSIS = {
    "analysisId": "an-1",
    "remediationRequestId": "rr-1",
    "provider": "anthropic",
    "model": "anthropic/claude:latest",
    "confidenceScore": 0.9,
    "tokensUsed": 1200,
    "analysisDurationMs": 3400,
}
WORKFLOW = {
    "workflowId": "wf-1",
    "remediationRequestId": "rr-1",
    "phase": "PLANNING",
    "totalSteps": 3,
    "completedSteps": 0,
    "startTime": "2026-01-01T12:00:10Z",
}
EXECUTION = {
    "executionId": "ex-1",
    "workflowId": "wf-1",
    "actionType": "restart_pod",
    "targetResource": "payments/Pod/payment-api-0",
    "success": True,
    "startTime": "2026-01-01T12:00:20Z",
    "executionTimeMs": 1500,
}


def around(valid: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    """A valid input; None removes a field."""
    return {name: value for name, value in {**valid, **overrides}.items() if value is not None}
