"""Writes in the metrics: failure is our fault only; what the caller got wrong is counted apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeAlias

from datastorage.domain.enums import SubjectKind
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.names import snake
from datastorage.domain.receipt import Written
from datastorage.errors import (
    DataStorageError,
    Fault,
    Forbidden,
    HeldBack,
    InvalidInput,
    InvalidTransition,
    RecordConflict,
    RecordNotFound,
    Unavailable,
)
from datastorage.observability.labels import DualWriteFailure, RejectedCode, Table
from datastorage.observability.metrics import (
    count_dualwrite_failure,
    count_fault,
    count_rejected,
    count_writes,
)

Outcome: TypeAlias = Written[R] | DataStorageError

_TABLES = {
    SubjectKind.REMEDIATION: Table.REMEDIATION,
    SubjectKind.ANALYSIS: Table.AI_ANALYSIS,
    SubjectKind.WORKFLOW: Table.WORKFLOW,
    SubjectKind.EXECUTION: Table.EXECUTION,
}

_REJECTED = (
    (RecordConflict, RejectedCode.CONFLICT),
    (RecordNotFound, RejectedCode.NOT_FOUND),
    (InvalidTransition, RejectedCode.INVALID_TRANSITION),
    (Forbidden, RejectedCode.FORBIDDEN),
)


class Tally:
    """What one call wrote; filled in by the call, counted when it ends."""

    def __init__(self, rows: int) -> None:
        self.rows = rows  # that are being written, should the call fail
        self.outcomes: Sequence[Outcome[Any]] = ()


@contextmanager
def accounted(kind: RecordKind[R], rows: int) -> Iterator[Tally]:
    """Counts the outcomes and the time of one write; an exception counts every row."""
    table, started = _TABLES[kind.subject], perf_counter()
    tally = Tally(rows)
    try:
        yield tally
    except BaseException as error:  # a cancelled write is a failed one
        refused = isinstance(error, DataStorageError) and not isinstance(error, Unavailable)
        if refused:
            _count_refusal(error)
        count_writes(table, failed=0 if refused else tally.rows, seconds=perf_counter() - started)
        raise
    stored = sum(_stored(outcome) for outcome in tally.outcomes)
    failed = sum(isinstance(outcome, Unavailable) for outcome in tally.outcomes)
    count_writes(table, succeeded=stored, failed=failed, seconds=perf_counter() - started)
    for outcome in tally.outcomes:
        if isinstance(outcome, DataStorageError):
            _count_refusal(outcome)


def count_faults(faults: Sequence[Fault]) -> None:
    """Counts refused fields; the edge calls it for faults that the GraphQL types found."""
    for fault in faults:
        count_fault(snake(fault.field.split(".")[0]), fault.reason)


def _stored(outcome: Outcome[Any]) -> bool:
    return isinstance(outcome, Written) and not outcome.receipt.replayed


def _count_refusal(error: BaseException) -> None:
    if isinstance(error, HeldBack):
        return
    if isinstance(error, InvalidInput):
        count_dualwrite_failure(DualWriteFailure.VALIDATION)
        count_faults(error.faults)
    for kind, code in _REJECTED:
        if isinstance(error, kind):
            count_rejected(code)
