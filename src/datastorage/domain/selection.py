"""Which records of all kinds an export or a delete means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from datastorage.domain.enums import SubjectKind
from datastorage.domain.filters import EVERYTHING, Filter, check_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Records of every kind; all that is given must hold.

    An execution is around a remediation also through its workflow.
    """

    request_ids: tuple[str, ...] | None = (
        None  # these remediations and all around them, whichever has arrived
    )
    around: Filter | None = None  # the remediations that this leaves, and all around those
    own: Mapping[SubjectKind, Filter] = field(default_factory=dict)  # by fields of each record itself

    def by_own_fields(self, kind: SubjectKind) -> Filter:
        """What holds for each record of a kind by itself."""
        return self.own.get(kind, EVERYTHING)

    def check(self) -> None:
        """Errors: InvalidInput for a filter that is too large."""
        for where in (self.around, *self.own.values()):
            if where is not None:
                check_bounds(where)
