"""Records to write: valid inputs, of which a test overrides what it is about."""

from typing import Any

from datastorage.domain.names import snake

VALID = {
    "remediationRequestId": "rr-1",
    "name": "payment-api-oom",
    "namespace": "payments",
    "phase": "PENDING",
    "actionType": "restart_pod",
    "startTime": "2026-01-01T12:00:00Z",
    "alertFingerprint": "fp-1",
    "severity": "HIGH",
    "environment": "production",
    "clusterName": "prod-eu-1",
    "targetResource": "Deployment/payment-api",
}


def remediation_input(**overrides: Any) -> dict[str, Any]:
    """A valid CreateRemediationAuditInput; None removes a field."""
    return {name: value for name, value in {**VALID, **overrides}.items() if value is not None}


def remediation_row(**overrides: Any) -> dict[str, Any]:
    """The same by column name, as services take it."""
    return {**{snake(name): value for name, value in VALID.items()}, **overrides}
