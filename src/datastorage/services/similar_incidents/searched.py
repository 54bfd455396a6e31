"""What the legs of the search are given, and what they give back."""

from __future__ import annotations

from dataclasses import dataclass

from datastorage.domain.filters import Filter
from datastorage.limits import NEAREST_TEXTS_FIRST_TRY


@dataclass(frozen=True, slots=True)
class Proposed:
    """Candidates of one leg, and whether it compared every match."""

    audit_ids: set[int]
    exhaustive: bool


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched: the filter, and how many incidents it leaves (or more than any bound)."""

    where: Filter
    everything: bool  # neither filter nor scope leaves anything out
    matches: int
    rows_max: int  # candidates of each list
    rows_wanted: int
    collapse: bool  # one incident of each text is enough
    index_usable: bool

    @property
    def texts_first_try(self) -> int:
        """Where nothing is filtered out, each text brings at least one incident, but for a few."""
        return self.rows_max * 3 // 2 if self.everything else NEAREST_TEXTS_FIRST_TRY

    @property
    def of_each_text(self) -> int:
        """Incidents of one text that may be candidates."""
        return 1 if self.collapse else self.rows_max
