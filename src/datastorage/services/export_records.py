"""Exporting records of all kinds as JSONL: one moment's view of them, of any size in constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.enums import SubjectKind
from datastorage.domain.json_record import EXCHANGE_ORDER, to_line
from datastorage.domain.kind import RecordKind
from datastorage.domain.selection import Selection
from datastorage.limits import EXPORT_BATCH_ROWS
from datastorage.repositories.selected_records import SelectedRecords
from datastorage.services.dependencies import Dependencies


class Export:
    """What is to be exported, as it stands at one moment."""

    def __init__(
        self, session: ReadSession, scope: Scope, kinds: Sequence[RecordKind[Any]], selection: Selection
    ) -> None:
        self._selection = selection
        self._records = {kind.subject: SelectedRecords(session, scope, kind) for kind in kinds}
        self._kinds = kinds

    async def counts(self) -> dict[SubjectKind, int]:
        """How many records of each kind there are."""
        return {subject: await records.count(self._selection) for subject, records in self._records.items()}

    async def lines(self) -> AsyncIterator[tuple[SubjectKind, Sequence[bytes]]]:
        """The records a batch at a time, each as a line that the import reads."""
        for kind in self._kinds:
            async for batch in self._records[kind.subject].batches(self._selection, EXPORT_BATCH_ROWS):
                yield kind.subject, [to_line(kind, record) for record in batch]


@asynccontextmanager
async def export(
    deps: Dependencies, caller: Caller, kinds: Collection[SubjectKind], selection: Selection
) -> AsyncIterator[Export]:
    """Opens an export of these kinds of records. Errors: Forbidden, InvalidInput, Unavailable."""
    caller.require(Right.READ)
    selection.check()
    wanted = [kind for kind in EXCHANGE_ORDER if kind.subject in kinds]
    async with deps.database.export() as session:
        yield Export(session, caller.scope, wanted, selection)
