"""What is around a made-up remediation, of every kind. Called by `demo`.

All of it follows from the remediation, so it can be made again with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from datastorage.cli.demo_analyses import analyses_of
from datastorage.cli.demo_workflows import workflow_of
from datastorage.domain.enums import SubjectKind

Raw: TypeAlias = Mapping[str, Any]


def demo_records(remediations: Sequence[Raw]) -> dict[SubjectKind, list[Raw]]:
    """These incidents of the demo and what is around them: create inputs by kind and column name."""
    analyses: list[Raw] = []
    workflows: list[Raw] = []
    executions: list[Raw] = []
    for remediation in remediations:
        analyses += analyses_of(remediation)
        workflow, carried_out = workflow_of(remediation)
        workflows += [workflow] if workflow else []
        executions += carried_out
    return {
        SubjectKind.REMEDIATION: list(remediations),
        SubjectKind.ANALYSIS: analyses,
        SubjectKind.WORKFLOW: workflows,
        SubjectKind.EXECUTION: executions,
    }
