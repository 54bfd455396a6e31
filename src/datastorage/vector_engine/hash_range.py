"""A range of hashes that holds about as many as wanted. For engines that answer in no order, only completely."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

HASH_BYTES: Final = 32
HASHES: Final = 1 << (8 * HASH_BYTES)
FILLED: Final = 0.8  # hashes are spread evenly, not regularly: most ranges then hold no more than wanted


@dataclass(frozen=True, slots=True)
class HashRange:
    """The hashes beyond `after`, up to `last` and with it; None: to the end."""

    after: bytes
    last: bytes | None

    @classmethod
    def holding(cls, wanted: int, beyond: int, after: bytes) -> HashRange:
        """About as many as wanted, of those that lie beyond."""
        if beyond <= wanted:
            return cls(after, None)
        share = (
            int(wanted * FILLED * 1_000_000) // beyond
        )  # in millionths: the numbers are longer than floats
        return _range_of(after, (HASHES - _number(after)) * max(share, 1) // 1_000_000)

    @property
    def is_open(self) -> bool:
        """Whether it has no end."""
        return self.last is None

    def widened(self) -> HashRange:
        """Twice as wide."""
        return (
            self
            if self.last is None
            else _range_of(self.after, 2 * (_number(self.last) - _number(self.after)))
        )

    def up_to_median(self, found: Iterable[bytes]) -> HashRange:
        """Of what it holds at most what lies up to the median of what was found, which are more than one."""
        hashes = sorted(found)
        return replace(self, last=hashes[(len(hashes) - 1) // 2])

    def expression(self, field: str) -> str:
        """As a filter over the hashes in hexadecimal, whose order is theirs."""
        beyond = f'{field} > "{self.after.hex()}"'
        return beyond if self.last is None else f'{beyond} and {field} <= "{self.last.hex()}"'


def _range_of(after: bytes, width: int) -> HashRange:
    last = _number(after) + max(width, 1)
    return HashRange(after, None if last >= HASHES else last.to_bytes(HASH_BYTES))


def _number(content_hash: bytes) -> int:
    return int.from_bytes(content_hash.ljust(HASH_BYTES, b"\0")[:HASH_BYTES])
