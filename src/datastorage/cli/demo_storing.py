"""Stores the demo data, and takes them away again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from datastorage.cli.demo_around import demo_records
from datastorage.cli.demo_incidents import REQUEST_ID_PREFIX, demo_incidents, made_at, request_id_prefix
from datastorage.cli.tallies import added
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import SubjectKind
from datastorage.domain.filters import AllOf, Condition, JsonContains, Operator
from datastorage.domain.json_record import EXCHANGE_ORDER
from datastorage.domain.kinds import KINDS
from datastorage.domain.paging import NEWEST_FIRST, page_request
from datastorage.domain.receipt import Written
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.selection import Selection
from datastorage.errors import DataStorageError, RecordConflict
from datastorage.limits import IMPORT_BATCH_ROWS
from datastorage.services.delete_remediations import Counts, delete_remediations
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import create_records, list_records


def _nothing() -> dict[SubjectKind, int]:
    return {kind.subject: 0 for kind in KINDS}


@dataclass
class Loaded:
    """What became of the demo data: how many of each kind."""

    stored: dict[SubjectKind, int] = field(default_factory=_nothing)
    already_there: dict[SubjectKind, int] = field(default_factory=_nothing)
    differing: dict[SubjectKind, int] = field(default_factory=_nothing)

    def add(self, kind: SubjectKind, outcomes: Sequence[Written[Any] | DataStorageError]) -> None:
        """Counts one batch. Errors: what no repetition of a create explains."""
        for outcome in outcomes:
            match outcome:
                case Written():
                    (self.already_there if outcome.receipt.replayed else self.stored)[kind] += 1
                case RecordConflict():
                    self.differing[kind] += 1
                case _:
                    raise outcome


async def load_demo(deps: Dependencies, count: int, seed: int, on_batch: Callable[[int], None]) -> Loaded:
    """Stores the first `count` incidents of a seed with what is around them, as far as it is missing.

    Errors: Unavailable.
    """
    loaded = Loaded()
    now = await _made_before(deps, seed) or datetime.now(UTC)
    incidents = demo_incidents(count, seed=seed, now=now)
    while batch := list(islice(incidents, IMPORT_BATCH_ROWS)):
        records = demo_records(batch)
        for kind in EXCHANGE_ORDER:
            raws = records[kind.subject]
            for start in range(0, len(raws), IMPORT_BATCH_ROWS):
                outcomes = await create_records(deps, OPERATOR, kind, raws[start : start + IMPORT_BATCH_ROWS])
                loaded.add(kind.subject, outcomes)
        on_batch(len(batch))
    return loaded


async def _made_before(deps: Dependencies, seed: int) -> datetime | None:
    """The moment that the stored demo data of this seed were made for: made for it again, they are the same."""
    where = Condition("remediation_request_id", Operator.STARTS_WITH, request_id_prefix(seed))
    page = await list_records(deps, OPERATOR, REMEDIATION, page_request(where=where, order=NEWEST_FIRST))
    moments = (made_at(audit.remediation_request_id) for audit in page.nodes)
    return next((moment for moment in moments if moment is not None), None)


async def remove_demo(deps: Dependencies) -> Counts:
    """Deletes the demo data and says how many records of each kind there were. Errors: Unavailable.

    Someone else's request id may start alike, so the mark decides.
    """
    marked = AllOf(
        (
            Condition("remediation_request_id", Operator.STARTS_WITH, REQUEST_ID_PREFIX),
            JsonContains("metadata", '{"demo":true}'),
        )
    )
    removed: Counts = _nothing()
    async for gone in delete_remediations(deps, OPERATOR, Selection(around=marked)):
        removed = added(removed, gone)
    return removed
