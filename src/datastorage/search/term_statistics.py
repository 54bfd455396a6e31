"""How common each term is, as of some moment: what makes a rare word count for more than a common one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TermStatistics:
    """Estimated numbers of documents. Terms that are not listed are in one document at most.

    Shapes: numbers int32[terms], ascending; frequencies int32[terms].
    """

    documents: int
    numbers: Numbers
    frequencies: Numbers

    @classmethod
    def from_bytes(cls, documents: int, numbers: bytes, frequencies: bytes) -> TermStatistics:
        """As they are stored: little-endian, 4 bytes each."""
        return cls(documents, np.frombuffer(numbers, "<i4"), np.frombuffer(frequencies, "<i4"))

    def frequency(self, number: int) -> int:
        """In how many documents a term is."""
        place = int(np.searchsorted(self.numbers, number))
        listed = place < len(self.numbers) and self.numbers[place] == number
        return int(self.frequencies[place]) if listed else 1

    def idf(self, number: int) -> float:
        """The weight of a term in a question: 0 for what is everywhere, some 10 for what is nearly nowhere."""
        frequency = min(self.frequency(number), self.documents)
        return math.log1p((self.documents - frequency + 0.5) / (frequency + 0.5))

    def weighed(self, counts: Mapping[int, float]) -> dict[int, float]:
        """Counts of a question's terms times what each is worth."""
        return {number: count * self.idf(number) for number, count in counts.items()}

    def rarest(self, numbers: Iterable[int], documents_max: float, terms_max: int) -> list[int]:
        """The rarest terms that together are in about so many documents; at least two if there are two."""
        chosen: list[int] = []
        total = 0
        for number in sorted(numbers, key=lambda number: (self.frequency(number), number)):
            total += self.frequency(number)
            if len(chosen) >= terms_max or (len(chosen) >= TERMS_MIN and total > documents_max):
                break
            chosen.append(number)
        return chosen


TERMS_MIN = 2
UNKNOWN = TermStatistics(0, np.empty(0, np.int32), np.empty(0, np.int32))
