"""Importing remediation audits from JSONL: any size in constant memory, and safe to run again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from datastorage.domain.caller import Caller
from datastorage.domain.names import snake
from datastorage.domain.receipt import Written
from datastorage.domain.remediation import REMEDIATION
from datastorage.errors import DataStorageError, InvalidInput, Unavailable
from datastorage.limits import IMPORT_BATCH_ROWS, IMPORT_LINE_BYTES_MAX
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.create import create_records

RECORD = "remediationAudit"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file."""

    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line that was not stored, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class BatchDone:
    """What became of one batch of lines."""

    stored: int
    replayed: int
    rejected: Sequence[Rejection]


async def import_remediations(
    deps: Dependencies, caller: Caller, lines: Iterable[Line]
) -> AsyncIterator[BatchDone]:
    """Stores the lines batch by batch. Errors: Forbidden, Unavailable (the batches before it stand)."""
    for batch in _batches(lines):
        yield await _import_batch(deps, caller, batch)


async def _import_batch(deps: Dependencies, caller: Caller, batch: Sequence[Line]) -> BatchDone:
    rejected, readable = [], []
    for line in batch:
        try:
            readable.append((line, _record(line)))
        except InvalidInput as error:
            rejected.append(Rejection(line.number, str(error)))
    stored = replayed = 0
    outcomes = await create_records(deps, caller, REMEDIATION, [raw for _, raw in readable])
    for (line, _), outcome in zip(readable, outcomes, strict=True):
        match outcome:
            case Written():
                replayed += outcome.receipt.replayed
                stored += not outcome.receipt.replayed
            case Unavailable():
                raise outcome
            case DataStorageError():
                rejected.append(Rejection(line.number, str(outcome)))
    return BatchDone(stored, replayed, sorted(rejected, key=lambda rejection: rejection.line))


def _record(line: Line) -> dict[str, Any]:
    if len(line.content.rstrip(b"\r\n")) > IMPORT_LINE_BYTES_MAX:
        raise InvalidInput.single("line", f"is longer than {IMPORT_LINE_BYTES_MAX} bytes")
    try:
        record = orjson.loads(line.content)
    except orjson.JSONDecodeError as error:
        raise InvalidInput.single("line", f"is no JSON: {error}") from None
    if not isinstance(record, dict):
        raise InvalidInput.single("line", "is no JSON object")
    kind = record.pop("record", RECORD)
    if kind != RECORD:
        raise InvalidInput.single("record", f"is of an unknown kind; expected {RECORD!r}")
    return {snake(name): value for name, value in record.items()}


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for line in lines:
        if line.content.strip():
            batch.append(line)
        if len(batch) == IMPORT_BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
