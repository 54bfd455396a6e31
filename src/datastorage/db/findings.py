"""What checks of a database are told, and what they find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expected:
    """What this process will ask of the database."""

    connections: int
    dimensions: int | None  # of the vectors of the active model; None without embeddings
    model: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `mend` says how to put it right."""

    check: str
    detail: str
    mend: str = ""
    fatal: bool = False

    @property
    def good(self) -> bool:
        """Nothing to mend."""
        return not self.mend
