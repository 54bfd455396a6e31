"""The incidents that are stored: originals that come again and again, over a year.

The number of distinct texts grows more slowly than that of incidents, as it does where failures recur: 6,000 of
10,000, 30,000 of 100,000, 150,000 of a million.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.speed.data.originals import NEWEST, Original, Row
from datastorage.domain.kinds import KINDS

TEXTS_FACTOR, TEXTS_EXPONENT = 9.5, 0.7
SPAN: Final = timedelta(days=365)


def texts_of(incidents: int) -> int:
    """How many distinct texts so many incidents have."""
    return min(incidents, round(TEXTS_FACTOR * incidents**TEXTS_EXPONENT))


def request_id(number: int) -> str:
    """The key of an incident."""
    return f"bench-{number:08}"


@dataclass(frozen=True)
class Occurrence:
    """An incident: which original it is, and when it happened."""

    number: int
    original: int
    start: datetime


def occurrences(first: int, last: int) -> Iterator[Occurrence]:
    """Incidents `first` to `last`, the latter not included; the same whatever the bounds."""
    numbers = np.arange(first, last, dtype=np.uint64)
    which, when = _chance(numbers, salt=1), _chance(numbers, salt=2)
    for number, drawn, moment in zip(range(first, last), which.tolist(), when.tolist(), strict=True):
        known = texts_of(number)
        is_first = texts_of(number + 1) > known
        yield Occurrence(number, known if is_first else int(drawn**2 * known), NEWEST - moment * SPAN)


def _chance(numbers: NDArray[np.uint64], salt: int) -> NDArray[np.float64]:
    """Between 0 and 1, by the number alone (the mixing function of splitmix64)."""
    mixed = numbers * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt * 0xD1B54A32D192ED03 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))) / np.float64(2**64)


class Repeater:
    """Makes rows of an original happen at another time, under other keys."""

    def __init__(self) -> None:
        self._next_ids = dict.fromkeys((kind.type_name for kind in KINDS), 0)

    def repeated(self, original: Original, occurrence: Occurrence) -> Iterator[Row]:
        """The rows of one incident, with numbers of their own."""
        was = original.remediation
        old, new = was["remediation_request_id"], request_id(occurrence.number)
        later = occurrence.start - was["start_time"]
        for row in original.rows:
            columns = row.columns
            keys = {name: new + columns[name].removeprefix(old) for name in row.keys}
            times = {name: columns[name] + later for name in row.times}
            yield Row(row.subject, {**columns, **keys, **times})

    def numbered(self, row: Row) -> dict[str, Any]:
        """Its columns with the next id of its table."""
        kind = row.kind.type_name
        self._next_ids[kind] += 1
        return {**row.columns, "id": self._next_ids[kind]}
