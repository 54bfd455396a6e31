"""Creating audits. A create is idempotent by its natural key, see `replay`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic

from datastorage.domain.caller import Caller
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.kinds import KINDS
from datastorage.domain.receipt import Written
from datastorage.embedding import Vector
from datastorage.errors import DataStorageError
from datastorage.services.dependencies import Dependencies
from datastorage.services.records.accounting import Outcome
from datastorage.services.records.batch import Batch
from datastorage.services.records.prepared import Prepared, prepare
from datastorage.services.records.replay import Replayer
from datastorage.services.unit_of_work import UnitOfWork


async def create_record(
    deps: Dependencies, caller: Caller, kind: RecordKind[R], raw: Mapping[str, Any]
) -> Written[R]:
    """Stores one audit with its event and, for incidents, its vector.

    Errors: InvalidInput, Forbidden, RecordConflict, Unavailable.
    """
    (outcome,) = await create_records(deps, caller, kind, [raw])
    if isinstance(outcome, DataStorageError):
        raise outcome
    return outcome


async def create_records(
    deps: Dependencies,
    caller: Caller,
    kind: RecordKind[R],
    raws: Sequence[Mapping[str, Any]],
    *,
    atomic: bool = False,
) -> list[Outcome[R]]:
    """Stores many, each with its own outcome; a refused one does not hold up the others unless `atomic`.

    Errors: Forbidden (no right to write at all).
    """
    return await Batch(deps, caller, kind, CREATIONS[kind.type_name], atomic).written(raws)


@dataclass(frozen=True, slots=True, eq=False)
class Creation(Generic[R]):
    """The manner of creates: what stands already is never changed, only compared with."""

    kind: RecordKind[R]

    def prepare(self, deps: Dependencies, caller: Caller, raw: Mapping[str, Any]) -> Prepared:
        """Errors: InvalidInput, Forbidden."""
        return prepare(self.kind, caller, deps.redactor, raw)

    def may_insert(self, _item: Prepared) -> bool:
        """Each may be the first of its key."""
        return True

    async def expected(self, _deps: Dependencies, items: Sequence[Prepared]) -> Sequence[Any]:
        """Just what was sent."""
        return [item.draft for item in items]

    async def taken(
        self,
        deps: Dependencies,
        work: UnitOfWork,
        items: Sequence[Prepared],
        _vectors: Mapping[bytes, Vector],
    ) -> Sequence[Outcome[R]]:
        """Replays and conflicts."""
        replayer = await Replayer.load(deps, self.kind, work, [item.draft for item in items])
        return [replayer.outcome(item) for item in items]


CREATIONS: Final[Mapping[str, Creation[Any]]] = {kind.type_name: Creation(kind) for kind in KINDS}
