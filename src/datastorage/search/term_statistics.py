"""How common each term is, as of some moment: what makes a rare word count for more than a common one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TermStatistics:
    """Estimated numbers of documents. Terms that are not listed are in one document at most.

    Shapes: numbers int32[terms], ascending; listed int32[terms].
    """

    documents: int
    numbers: Numbers
    listed: Numbers

    @classmethod
    def from_bytes(cls, documents: int, numbers: bytes, frequencies: bytes) -> TermStatistics:
        """As they are stored: little-endian, 4 bytes each."""
        return cls(documents, np.frombuffer(numbers, "<i4"), np.frombuffer(frequencies, "<i4"))

    def frequencies(self, numbers: Iterable[int]) -> Numbers:
        """In how many documents each of these terms is."""
        asked = np.fromiter(numbers, np.int32)
        if not len(self.numbers):
            return np.ones_like(asked)
        places = np.minimum(np.searchsorted(self.numbers, asked), len(self.numbers) - 1)
        return np.where(self.numbers[places] == asked, self.listed[places], 1)

    def weighed(self, counts: Mapping[int, float]) -> dict[int, float]:
        """Counts of a question's terms times what each is worth: 0 for what is everywhere, some 10 for the rarest."""
        frequencies = np.minimum(self.frequencies(counts), self.documents)
        worth = np.log1p((self.documents - frequencies + 0.5) / (frequencies + 0.5))
        weights = np.fromiter(counts.values(), np.float64) * worth
        return dict(zip(counts, weights.tolist(), strict=True))

    def rarest(self, numbers: Iterable[int], documents_max: float, terms_max: int) -> list[int]:
        """The rarest terms that together are in no more documents than this; at least one if there is one."""
        asked = np.fromiter(numbers, np.int32)
        frequencies = self.frequencies(asked)
        order = np.lexsort((asked, frequencies))[:terms_max]
        affordable = int(np.searchsorted(np.cumsum(frequencies[order]), documents_max, side="right"))
        chosen: list[int] = asked[order[: max(1, affordable)]].tolist()
        return chosen


UNKNOWN = TermStatistics(0, np.empty(0, np.int32), np.empty(0, np.int32))
