"""The state machine of a remediation."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from datastorage.domain.enums import Phase, Status
from datastorage.errors import InvalidTransition

MOVES: Final = MappingProxyType(
    {
        Phase.PENDING: (Phase.PROCESSING, Phase.FAILED),
        Phase.PROCESSING: (Phase.COMPLETED, Phase.FAILED),
        Phase.COMPLETED: (),
        Phase.FAILED: (Phase.PROCESSING,),  # a retry
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


def check_move(current: Phase, requested: Phase) -> None:
    """Errors: InvalidTransition. Staying in the same phase is no move."""
    if requested is not current and requested not in MOVES[current]:
        raise InvalidTransition(current.name, requested.name, [phase.name for phase in MOVES[current]])
