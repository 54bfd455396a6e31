"""Importing records of all kinds from JSONL: any size in constant memory, and safe to run again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from datastorage.domain.caller import Caller
from datastorage.domain.json_record import EXCHANGE_ORDER, from_json
from datastorage.domain.kind import RecordKind
from datastorage.domain.receipt import Written
from datastorage.domain.snapshot import differing_fields, snapshot
from datastorage.errors import DataStorageError, InvalidInput, RecordConflict, Unavailable
from datastorage.limits import IMPORT_BATCH_ROWS, IMPORT_LINE_BYTES_MAX
from datastorage.repositories.records import Records
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.accounting import Outcome
from datastorage.services.records.create import create_records
from datastorage.services.records.prepared import prepare


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


async def import_records(
    deps: Dependencies, caller: Caller, lines: Iterable[Line]
) -> AsyncIterator[BatchDone]:
    """Stores the lines batch by batch. Errors: Forbidden, Unavailable (what was told of before it stands)."""
    for batch in _batches(lines):
        tally = _Tally()
        try:
            await _import_batch(deps, caller, batch, tally)
        except Unavailable:
            yield tally.done()
            raise
        yield tally.done()


@dataclass(slots=True)
class _Tally:
    """What has become of a batch so far."""

    stored: int = 0
    replayed: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def add(self, line: int, outcome: Outcome[Any]) -> None:
        match outcome:
            case Written():
                self.replayed += outcome.receipt.replayed
                self.stored += not outcome.receipt.replayed
            case Unavailable():
                raise outcome
            case DataStorageError():
                self.rejected.append(Rejection(line, str(outcome)))

    def done(self) -> BatchDone:
        in_order = sorted(self.rejected, key=lambda rejection: rejection.line)
        return BatchDone(self.stored, self.replayed, in_order)


async def _import_batch(deps: Dependencies, caller: Caller, batch: Sequence[Line], tally: _Tally) -> None:
    readable = _readable(batch, tally)
    for kind in EXCHANGE_ORDER:
        numbers, raws = readable[kind.type_name]
        outcomes = await create_records(deps, caller, kind, raws) if raws else []
        standing = await _standing(deps, caller, kind, raws, outcomes)
        for place, (number, outcome) in enumerate(zip(numbers, outcomes, strict=True)):
            if place in standing:
                tally.replayed += 1
            else:
                tally.add(number, outcome)


async def _standing(
    deps: Dependencies,
    caller: Caller,
    kind: RecordKind[Any],
    raws: Sequence[Mapping[str, Any]],
    outcomes: Sequence[Outcome[Any]],
) -> set[int]:
    """Places of those that differ from how they were created, and stand by now just as the line says.

    So an export can be imported where it came from.
    """
    drafts = {
        place: prepare(kind, caller, deps.redactor, raws[place]).draft
        for place, outcome in enumerate(outcomes)
        if isinstance(outcome, RecordConflict)
    }
    if not drafts:
        return set()
    async with deps.database.primary() as session:
        keys = sorted({kind.key_of(draft) for draft in drafts.values()})
        current = await Records(session, caller.scope, kind).by_keys(keys)
    found = ((place, draft, current.get(kind.key_of(draft))) for place, draft in drafts.items())
    return {
        place
        for place, draft, record in found
        if record is not None and not differing_fields(kind, draft, snapshot(kind, record))
    }


def _readable(batch: Sequence[Line], tally: _Tally) -> Mapping[str, tuple[list[int], list[dict[str, Any]]]]:
    """Line numbers and raw fields by kind."""
    readable: dict[str, tuple[list[int], list[dict[str, Any]]]] = {
        kind.type_name: ([], []) for kind in EXCHANGE_ORDER
    }
    for line in batch:
        try:
            kind, raw = _record(line)
        except InvalidInput as error:
            tally.rejected.append(Rejection(line.number, str(error)))
        else:
            numbers, raws = readable[kind.type_name]
            numbers.append(line.number)
            raws.append(raw)
    return readable


def _record(line: Line) -> tuple[RecordKind[Any], dict[str, Any]]:
    if len(line.content.rstrip(b"\r\n")) > IMPORT_LINE_BYTES_MAX:
        raise InvalidInput.single("line", f"is longer than {IMPORT_LINE_BYTES_MAX} bytes")
    try:
        return from_json(orjson.loads(line.content))
    except orjson.JSONDecodeError as error:
        raise InvalidInput.single("line", f"is no JSON: {error}") from None


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
