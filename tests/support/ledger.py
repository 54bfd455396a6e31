"""What a client knows that it wrote, and an audit of both stores against it.

An entry is one remediation with the states that the client gave it, one for each version. A version that was
acknowledged must be there once, whole; one that was only sent may be there, but then just as whole.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import asyncpg
import numpy as np

COMPARED = ("name", "phase", "error_message", "resolution")
# A broken index must not hide a second row.
WITHOUT_INDEXES = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off"
AUDITS = """
SELECT a.remediation_request_id AS key, a.version, a.name, a.phase, a.error_message, a.resolution, a.content_hash,
       EXISTS (SELECT FROM incident_lexical l WHERE l.audit_id = a.id) AS words,
       EXISTS (SELECT FROM incident_embedding v WHERE v.content_hash = a.content_hash) AS vector
FROM remediation_audit a
"""
EVENTS = "SELECT subject_key AS key, version, kind FROM remediation_event ORDER BY id"
VECTORS = "SELECT content_hash, vector::vector::real[] AS vector FROM incident_embedding"
VALUE_TOLERANCE = 0.0005  # a halfvec's rounding


@dataclass
class Entry:
    """One remediation as its only writer knows it."""

    key: str
    states: list[Mapping[str, Any]] = field(default_factory=list)  # sent, by version
    acknowledged: int = 0  # the version that the service has confirmed

    @property
    def sent(self) -> int:
        return len(self.states)


@dataclass(frozen=True)
class Figures:
    """The outcome of an audit, to be quoted.

    Everything counts versions, but `half_written` and `without_vector` count remediations, and `unlike` texts.
    """

    acknowledged: int
    found: int  # of them
    duplicates: int
    half_written: int
    altered: int  # there, but with other content than what was sent
    unknown: int  # sent, and never acknowledged
    unknown_found: int  # of them
    without_vector: int
    unlike: int = 0  # vectors that only one store has, or not the same

    @property
    def lost(self) -> int:
        return self.acknowledged - self.found

    @property
    def flawless(self) -> bool:
        """Whether every promise was kept."""
        faults = (
            self.lost,
            self.duplicates,
            self.half_written,
            self.altered,
            self.without_vector,
            self.unlike,
        )
        return not any(faults)

    def as_dict(self) -> dict[str, int]:
        return {**asdict(self), "lost": self.lost}


@dataclass
class Ledger:
    """All entries of one load."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def open(self, key: str) -> Entry:
        """A remediation that nobody has written yet."""
        assert key not in self.entries
        self.entries[key] = Entry(key)
        return self.entries[key]

    @property
    def acknowledged(self) -> int:
        return sum(entry.acknowledged for entry in self.entries.values())

    async def audited(self, sql: asyncpg.Connection, mirrored: Mapping[bytes, Sequence[float]]) -> Figures:
        """Compares each entry with what is stored, what is stored with the entries, and both stores of vectors."""
        async with sql.transaction(isolation="repeatable_read", readonly=True):
            return await self._audited(sql, mirrored)

    async def _audited(self, sql: asyncpg.Connection, mirrored: Mapping[bytes, Sequence[float]]) -> Figures:
        await sql.execute(WITHOUT_INDEXES)
        rows: dict[str, list[asyncpg.Record]] = defaultdict(list)
        events: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for row in await sql.fetch(AUDITS):
            rows[row["key"]].append(row)
        for event in await sql.fetch(EVENTS):
            events[event["key"]].append((event["version"], event["kind"]))
        strangers = (rows.keys() | events.keys()) - self.entries.keys()
        assert not strangers, f"nobody wrote {sorted(strangers)[:5]}"
        stored = {row["content_hash"]: row["vector"] for row in await sql.fetch(VECTORS)}
        figures = _total([_compared(entry, rows[key], events[key]) for key, entry in self.entries.items()])
        return replace(figures, unlike=_unlike(stored, mirrored))


def _compared(entry: Entry, rows: Sequence[asyncpg.Record], events: Sequence[tuple[int, str]]) -> Figures:
    """The figures of one entry."""
    stands = rows[0]["version"] if rows else 0
    acknowledged, found = entry.acknowledged, min(stands, entry.acknowledged)
    return Figures(
        acknowledged=acknowledged,
        found=found,
        duplicates=_duplicates(entry, rows, events),
        half_written=int(not _whole(rows, events)),
        altered=int(0 < stands <= entry.sent and not _as_sent(entry.states[stands - 1], rows[0])),
        unknown=entry.sent - acknowledged,
        unknown_found=max(0, min(stands, entry.sent) - acknowledged),
        without_vector=int(bool(rows) and not rows[0]["vector"]),
    )


def _duplicates(entry: Entry, rows: Sequence[asyncpg.Record], events: Sequence[tuple[int, str]]) -> int:
    """Rows and events that there are twice, and versions that nobody asked for: a change that was made again."""
    repeated = sum(count - 1 for count in Counter(version for version, _ in events).values())
    beyond = max(0, rows[0]["version"] - entry.sent) if rows else 0
    return max(0, len(rows) - 1) + repeated + beyond


def _whole(rows: Sequence[asyncpg.Record], events: Sequence[tuple[int, str]]) -> bool:
    """Whether row, words and one event for each version are there, or nothing at all."""
    if not rows:
        return not events
    created = [version for version, kind in events if kind == "created"]
    versions = {version for version, _ in events}
    return bool(rows[0]["words"]) and created == [1] and versions == set(range(1, rows[0]["version"] + 1))


def _as_sent(state: Mapping[str, Any], row: asyncpg.Record) -> bool:
    return all(row[name] == state.get(name) for name in COMPARED)


def _unlike(one: Mapping[bytes, Sequence[float]], other: Mapping[bytes, Sequence[float]]) -> int:
    """How many vectors only one of two stores has, or not the same."""
    differing = [
        key
        for key in one.keys() & other.keys()
        if not np.allclose(one[key], other[key], rtol=0, atol=VALUE_TOLERANCE)
    ]
    return len(one.keys() ^ other.keys()) + len(differing)


def _total(figures: Sequence[Figures]) -> Figures:
    columns = zip(*(asdict(each).values() for each in figures), strict=True)
    return Figures(*map(sum, columns))
