"""What can belong to a record."""

from __future__ import annotations

from enum import StrEnum


class Relation(StrEnum):
    """Lists that hang on a remediation's request id, or on a workflow's id."""

    ANALYSES = "analyses"
    WORKFLOWS = "workflows"
    EXECUTIONS = "executions"
    WORKFLOW_EXECUTIONS = "workflow_executions"
    EVENTS = "events"
