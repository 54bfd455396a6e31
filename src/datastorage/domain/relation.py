"""What can belong to a record, and what a record can belong to."""

from __future__ import annotations

from enum import StrEnum


class Relation(StrEnum):
    """Lists that hang on a remediation's request id or on a workflow's id, and the ways back."""

    ANALYSES = "analyses"
    WORKFLOWS = "workflows"
    EXECUTIONS = "executions"
    WORKFLOW_EXECUTIONS = "workflow_executions"
    EVENTS = "events"
    REMEDIATION = "remediation"
    EXECUTION_REMEDIATION = "execution_remediation"  # also through its workflow
    WORKFLOW = "workflow"
