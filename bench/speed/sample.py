"""What the questions are about: keys and places of what is stored, texts of what is and of what is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from typing import Any, Final

from bench.speed.data.originals import CHUNK, NEWEST, NOT_STORED, Making, Original
from bench.speed.database import Database
from datastorage.domain.names import camel
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.snapshot import json_value

KEYS: Final = 2_000
NEW_CHUNKS: Final = 8
KNOWN_CHUNKS: Final = 4
QUESTION_CHARS: Final = 400

Variables = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """Drawn from a loaded database; the same every time."""

    database: Database
    making: Making

    @cached_property
    def request_ids(self) -> list[str]:
        """Some keys, in no order."""
        rows = self.database.ask(
            "SELECT remediation_request_id AS key FROM remediation_audit ORDER BY hashtext(remediation_request_id) LIMIT $1",
            KEYS,
        )
        return [row["key"] for row in rows]

    @cached_property
    def places(self) -> list[Variables]:
        """Namespaces and phases of which there are more than a page."""
        rows = self.database.ask(
            "SELECT namespace, phase FROM remediation_audit GROUP BY 1, 2 HAVING count(*) > 50 ORDER BY 1, 2"
        )
        return [{"namespace": row["namespace"], "phase": row["phase"].upper()} for row in rows]

    @cached_property
    def months(self) -> list[Variables]:
        """Spans of thirty days."""
        ends = [NEWEST - timedelta(days=days) for days in range(0, 330, 7)]
        return [{"from": (end - timedelta(days=30)).isoformat(), "to": end.isoformat()} for end in ends]

    @cached_property
    def new(self) -> list[Original]:
        """Incidents that are not stored."""
        return _made(self.making, range(NOT_STORED, NOT_STORED + NEW_CHUNKS))

    @cached_property
    def known(self) -> list[Original]:
        """Stored ones whose text a create repeats: no analysis has added to it."""
        stored = _made(self.making, range(KNOWN_CHUNKS))
        return [
            original
            for original in stored
            if all(row.columns.get("root_cause") is None for row in original.rows)
        ]

    @cached_property
    def texts(self) -> list[str]:
        """Questions of somebody who has an incident before them: a headline and 400 characters."""
        return [
            f"{original.text.headline}\n{(original.remediation['error_message'] or '')[:QUESTION_CHARS]}"
            for original in self.new[:CHUNK]
        ]


@cache
def _made(making: Making, chunks: range) -> list[Original]:
    """The same for databases of every size."""
    return list(making.originals(chunks))


def new_text(original: Original) -> Variables:
    """The columns of a create; the client puts in a key, and a word that makes the text new."""
    row = _row(original)
    return {**row, "error_message": f"{row['error_message'] or ''} in @W@"}


def known_text(original: Original) -> Variables:
    """The same with a text that is stored already."""
    return _row(original)


def create_input(row: Mapping[str, Any]) -> Variables:
    """Columns as the create input of the service."""
    given = {camel(name): row[name] for name in REMEDIATION.input_fields if row[name] is not None}
    return {**given, **{name: given[name].upper() for name in ("phase", "status", "severity")}}


def _row(original: Original) -> Variables:
    columns = original.remediation
    names = (*REMEDIATION.draft_fields, "content_hash")
    row = {name: json_value(columns[name]) for name in names if name != "content_hash"}
    return {**row, "remediation_request_id": "w-@N@", "content_hash": columns["content_hash"].hex()}
