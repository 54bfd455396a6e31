"""What a client is told about its write besides the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from datastorage.domain.enums import Similarity

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Redaction:
    """Secrets of one kind that were replaced in one field."""

    field: str
    pattern: str
    count: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """How the write went."""

    replayed: bool
    similarity: Similarity
    redactions: tuple[Redaction, ...] = ()


@dataclass(frozen=True, slots=True)
class Written(Generic[R]):
    """A stored record with its receipt."""

    record: R
    receipt: Receipt

    @property
    def created(self) -> bool:
        """Whether this write made the record; a change would have led to a higher version."""
        return not self.receipt.replayed and getattr(self.record, "version", 1) == 1
