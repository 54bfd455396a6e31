"""Group commit: units of work that arrive while others are being written go into the next transaction together.

Asked by `services.records.batch`. How the units of a group are written is their lane's business; here is decided which
go together, and who is told what. Each stays whole: its caller learns its own outcome, after the commit, or its own
error. Whoever stops waiting takes its unit back, unless that is being written already.

Nothing is kept here that was acknowledged: what waits is gone with the process, and nobody was told otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

from datastorage.db.faults import concerns_one_unit
from datastorage.errors import Unavailable
from datastorage.limits import WRITE_GROUP_ROWS_MAX, WRITE_GROUPS_MAX, WRITE_QUEUE_ROWS_MAX
from datastorage.observability.metrics import WRITE_GROUP_UNITS, write_queued, write_taken
from datastorage.services.repetition import repeated


class Unit(Protocol):
    """What is written as a whole or not at all."""

    @property
    def keys(self) -> Collection[str]:
        """What it writes; no two units that write the same are under way at once."""

    @property
    def rows(self) -> int:
        """How much it is."""

    @property
    def alone(self) -> bool:
        """Whether it needs a transaction of its own."""


U = TypeVar("U", bound=Unit)
U_contra = TypeVar("U_contra", bound=Unit, contravariant=True)
O = TypeVar("O")  # noqa: E741 -- an outcome
O_co = TypeVar("O_co", covariant=True)


class Lane(Protocol[U_contra, O_co]):
    """How units of one kind are written; lanes that are equal are one."""

    async def write(self, units: Sequence[U_contra]) -> Sequence[O_co]:
        """The outcome of each, all of them committed in one transaction."""


@dataclass(slots=True, eq=False)
class _Entry(Generic[U, O]):
    """A unit that waits, or is being written."""

    lane: Lane[U, O]
    unit: U
    outcome: asyncio.Future[O] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    context: Context = field(default_factory=copy_context)  # of the request
    keys: frozenset[tuple[Lane[U, O], str]] = field(init=False)

    def __post_init__(self) -> None:
        self.keys = frozenset((self.lane, key) for key in self.unit.keys)

    def answer(self, outcome: O) -> None:
        if not self.outcome.done():  # else its caller is gone
            self.outcome.set_result(outcome)

    def fail(self, error: BaseException) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class WriteQueue:
    """The units of one process, in the order in which they came; a few groups of them are under way at a time."""

    def __init__(
        self,
        *,
        rows_max: int = WRITE_QUEUE_ROWS_MAX,
        group_rows_max: int = WRITE_GROUP_ROWS_MAX,
        groups_max: int = WRITE_GROUPS_MAX,
    ) -> None:
        self._rows_max, self._group_rows_max, self._groups_max = rows_max, group_rows_max, groups_max
        self._waiting: dict[_Entry[Any, Any], None] = {}  # in the order in which they came
        self._rows = 0  # that wait
        self._under_way: set[tuple[Lane[Any, Any], str]] = set()
        self._groups: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether anything is being written."""
        return bool(self._groups)

    async def written(self, lane: Lane[U, O], unit: U) -> O:
        """The outcome of a unit. Errors: those of its lane; Unavailable if too much waits already."""
        if self._waiting and self._rows + unit.rows > self._rows_max:
            raise Unavailable("too many writes are waiting; try again")
        entry = _Entry(lane, unit)
        self._waiting[entry] = None
        self._rows += unit.rows
        write_queued()
        self._start_groups()
        try:
            return await entry.outcome
        except asyncio.CancelledError as cancellation:
            if entry in self._waiting:
                self._take([entry])
                raise Unavailable("the request took too long; try again") from cancellation
            if not entry.outcome.cancelled():
                return entry.outcome.result()  # it came just in time
            raise Unavailable(
                "the request took too long; repeat it to learn its outcome",
                outcome_unknown=True,
            ) from cancellation

    async def close(self) -> None:
        """Waits for what is being written."""
        while self._groups:
            await asyncio.wait(self._groups)

    def _start_groups(self) -> None:
        while len(self._groups) < self._groups_max and (group := self._next_group()):
            # At once: the task begins later, and others may come before.
            keys = frozenset[tuple[Lane[Any, Any], str]]().union(*(entry.keys for entry in group))
            self._under_way |= keys
            # In the request of the first: this may be called at the end of a group that has nothing to do with it.
            self._groups.add(asyncio.create_task(self._write(group, keys), context=group[0].context))

    def _next_group(self) -> list[_Entry[Any, Any]]:
        """The first unit that can be written now, and those of its lane that can go with it."""
        group: list[_Entry[Any, Any]] = []
        held = set(self._under_way)
        rows = 0
        for entry in self._waiting:
            unit = entry.unit
            fits = not group or (entry.lane == group[0].lane and rows + unit.rows <= self._group_rows_max)
            if fits and held.isdisjoint(entry.keys) and not (group and unit.alone):
                group.append(entry)
                rows += unit.rows
                if unit.alone or rows >= self._group_rows_max:
                    break
            held |= entry.keys  # what came earlier goes first
        self._take(group)
        return group

    def _take(self, entries: Sequence[_Entry[Any, Any]]) -> None:
        for entry in entries:
            del self._waiting[entry]
            self._rows -= entry.unit.rows
            write_taken()

    async def _write(
        self, group: Sequence[_Entry[Any, Any]], keys: Collection[tuple[Lane[Any, Any], str]]
    ) -> None:
        try:
            await self._write_or_split(group)
        finally:
            self._under_way.difference_update(keys)
            self._groups.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            self._start_groups()

    async def _write_or_split(self, group: Sequence[_Entry[Any, Any]]) -> None:
        """Whatever concerns one unit must not be told to the others: then each is written by itself, once."""
        WRITE_GROUP_UNITS.observe(len(group))
        units = [entry.unit for entry in group]
        try:
            outcomes = await repeated(lambda: group[0].lane.write(units))
        except BaseException as error:  # noqa: BLE001 -- whatever it is, callers wait for it
            if len(group) > 1 and concerns_one_unit(error):
                for entry in group:
                    await self._write_or_split([entry])
                return
            for entry in group:
                entry.fail(error)
            return
        for entry, outcome in zip(group, outcomes, strict=True):
            entry.answer(outcome)
