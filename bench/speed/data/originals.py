"""Incidents of which no two read alike, each with what is around it, as rows of the service's tables.

They come from the generator of `datastorage demo`; what sets them apart is a stack trace, or the text of a report
where a file of reports is given. They are made in chunks, each from a seed of its own, by all cores.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

import orjson
from pgvector import SparseVector

from bench.speed.data.traces import trace
from datastorage.cli.demo_around import demo_records
from datastorage.cli.demo_incidents import REQUEST_ID_PREFIX, demo_incidents
from datastorage.domain.analysis import ANALYSIS, RootCause
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import SubjectKind
from datastorage.domain.kind import RecordKind
from datastorage.domain.kinds import KIND_OF_SUBJECT
from datastorage.domain.remediation import REMEDIATION
from datastorage.embedding import Vector
from datastorage.embedding.static import StaticProvider
from datastorage.models.halfvec import to_binary
from datastorage.redaction import Redactor
from datastorage.search.lexical import DIMENSIONS
from datastorage.services.incident_text import IncidentText, incident_text
from datastorage.services.records.prepared import prepare

NEWEST: Final = datetime(2026, 11, 1, tzinfo=UTC)
CHUNK: Final = 500
NOT_STORED: Final = 1_000_000  # from this chunk on: what is asked and created
REPORT_BYTES_MAX: Final = 4_096
PROCESSES: Final = 2

Drafts: TypeAlias = list[tuple[RecordKind[Any], Any]]


@dataclass(frozen=True)
class Row:
    """One record as the columns of its table."""

    subject: SubjectKind
    columns: Mapping[str, Any]

    @property
    def kind(self) -> RecordKind[Any]:
        """What it is a record of."""
        return KIND_OF_SUBJECT[self.subject]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Columns that hold the request id, or begin with it."""
        return tuple(
            name
            for name, value in self.columns.items()
            if type(value) is str and value.startswith(REQUEST_ID_PREFIX)
        )

    @cached_property
    def times(self) -> tuple[str, ...]:
        """Columns that hold a time."""
        return tuple(name for name, value in self.columns.items() if type(value) is datetime)


@dataclass(frozen=True)
class Original:
    """One incident: the remediation first, then what is around it, and what it is found by."""

    rows: tuple[Row, ...]
    text: IncidentText
    terms: tuple[int, ...]
    weights: bytes  # as PostgreSQL's binary protocol has them
    vector: bytes

    @property
    def remediation(self) -> Mapping[str, Any]:
        """The columns of the remediation."""
        return self.rows[0].columns


@dataclass(frozen=True)
class Making:
    """What originals are made of."""

    around: bool = True
    reports: Path | None = None

    def originals(self, chunks: range) -> Iterator[Original]:
        """Those of some chunks; the same every time."""
        with get_context("spawn").Pool(min(PROCESSES, len(chunks))) as pool:
            yield from chain.from_iterable(pool.imap(self._chunk, chunks))

    def _chunk(self, number: int) -> list[Original]:
        told = [] if self.reports is None else _reports(self.reports)
        drafts = []
        for place, raw in enumerate(demo_incidents(CHUNK, seed=number, now=NEWEST)):
            if told:
                title, raw["error_message"] = told[(number * CHUNK + place) % len(told)]
                raw["metadata"]["title"] = title
            else:
                raw["error_message"] += "\n" + trace(Random(f"{number}/{place}"))
            drafts.append(_drafts(raw, around=self.around))
        texts = [_text(of_one) for of_one in drafts]
        vectors = asyncio.run(_provider().embed([text.text for text in texts]))
        return [_original(*each) for each in zip(drafts, texts, vectors, strict=True)]


def _drafts(raw: dict[str, Any], *, around: bool) -> Drafts:
    """The remediation first, as the service would store it."""
    drafts = [(REMEDIATION, prepare(REMEDIATION, OPERATOR, _redactor(), raw).draft)]
    if around:
        for subject, records in demo_records([raw]).items():
            kind = KIND_OF_SUBJECT[subject]
            drafts += [(kind, kind.parse(record)) for record in records if kind is not REMEDIATION]
    return drafts


def _text(drafts: Drafts) -> IncidentText:
    causes = [
        RootCause(draft.root_cause, draft.namespace, draft.cluster_name)
        for kind, draft in drafts
        if kind is ANALYSIS and draft.root_cause
    ]
    return incident_text(drafts[0][1], causes)


def _original(drafts: Drafts, text: IncidentText, vector: Vector) -> Original:
    rows = [Row(kind.subject, _columns(kind, draft, number)) for number, (kind, draft) in enumerate(drafts)]
    rows[0] = Row(SubjectKind.REMEDIATION, {**rows[0].columns, "content_hash": text.hash})
    words = text.words
    weights = SparseVector(words.weights, DIMENSIONS).to_binary()
    return Original(tuple(rows), text, words.terms, bytes(weights), to_binary(vector))


@cache
def _redactor() -> Redactor:
    return Redactor({})


@cache
def _provider() -> StaticProvider:
    return StaticProvider.load()


def _columns(kind: RecordKind[Any], draft: Any, number: int) -> dict[str, Any]:
    columns = {name: getattr(draft, name) for name in kind.draft_fields}
    start = columns.get("start_time", NEWEST)
    stamps = dict.fromkeys(("created_at", "updated_at"), start + timedelta(seconds=1, milliseconds=number))
    versioned = {"version": 1, **stamps} if "version" in kind.record.__dataclass_fields__ else {}
    return {"id": 0, **columns, "created_at": stamps["created_at"], **versioned}


def _reports(file: Path) -> list[tuple[str, str]]:
    """Title and text of each line of a JSONL file that has them, plain or gzipped."""
    content = file.read_bytes()
    lines = (gzip.decompress(content) if file.suffix == ".gz" else content).splitlines()
    found = (orjson.loads(line) for line in lines)
    return [
        (report["title"], report["text"].encode()[:REPORT_BYTES_MAX].decode(errors="ignore"))
        for report in found
        if report.get("title") and report.get("text")
    ]
