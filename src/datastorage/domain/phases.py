"""The state machines of remediations and workflows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

from datastorage.domain.enums import Phase, Status, WorkflowPhase
from datastorage.errors import InvalidTransition

P = TypeVar("P", bound=StrEnum)

REMEDIATION_MOVES: Final = MappingProxyType(
    {
        Phase.PENDING: (Phase.PROCESSING, Phase.FAILED),
        Phase.PROCESSING: (Phase.COMPLETED, Phase.FAILED),
        Phase.COMPLETED: (),
        Phase.FAILED: (Phase.PROCESSING,),  # a retry
    }
)
WORKFLOW_MOVES: Final = MappingProxyType(
    {
        WorkflowPhase.PLANNING: (WorkflowPhase.EXECUTING, WorkflowPhase.FAILED),
        WorkflowPhase.EXECUTING: (WorkflowPhase.COMPLETED, WorkflowPhase.FAILED),
        WorkflowPhase.COMPLETED: (),
        WorkflowPhase.FAILED: (WorkflowPhase.EXECUTING,),  # a retry
    }
)

STATUS_OF: Final = MappingProxyType(
    {
        Phase.PENDING: Status.PENDING,
        Phase.PROCESSING: Status.RUNNING,
        Phase.COMPLETED: Status.SUCCESS,
        Phase.FAILED: Status.FAILURE,
    }
)


def check_move(moves: Mapping[P, Sequence[P]], current: P, requested: P) -> None:
    """Errors: InvalidTransition. Staying in the same phase is no move."""
    if requested is not current and requested not in moves[current]:
        raise InvalidTransition(current.name, requested.name, [phase.name for phase in moves[current]])
