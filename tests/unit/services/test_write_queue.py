"""Which units are written together, and who is told what. The lane of these tests writes nothing anywhere."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest
from asyncpg.exceptions import NumericValueOutOfRangeError
from sqlalchemy.exc import DBAPIError

from datastorage.errors import LockTimeout, OperationTimeout, Unavailable, WriteCollision
from datastorage.observability.metrics import WRITE_QUEUE_UNITS
from datastorage.observability.tallies import hand_over
from datastorage.services.write_queue import WriteQueue

REQUEST: ContextVar[str] = ContextVar("request")


@dataclass(eq=False)
class Item:
    name: str
    keys: frozenset[str] = frozenset()
    rows: int = 1
    alone: bool = False


@dataclass(eq=False)
class RecordingLane:
    """Writes when it is let, and remembers what went together."""

    groups: list[list[str]] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Callable[[list[str]], BaseException | None] = lambda _names: None

    async def write(self, units: Sequence[Item]) -> list[str]:
        names = [unit.name for unit in units]
        self.groups.append(names)
        await self.may_end.wait()
        if (fault := self.fault(names)) is not None:
            raise fault
        return [f"{name} stands" for name in names]


def refused_data() -> DBAPIError:
    cause = NumericValueOutOfRangeError()
    cause.sqlstate = "22003"
    return DBAPIError("INSERT", {}, cause)


def item(name: str, *, alone: bool = False, rows: int = 1) -> Item:
    return Item(name, frozenset({name[0]}), rows, alone)


async def handed(queue: WriteQueue, lane: RecordingLane, *items: Item) -> list[asyncio.Task[str]]:
    """Tasks that wait for their units, all of them in the queue by now."""
    tasks = [asyncio.create_task(queue.written(lane, unit)) for unit in items]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_a_lone_unit_is_written_at_once() -> None:
    queue, lane = WriteQueue(), RecordingLane()
    lane.may_end.set()

    assert await queue.written(lane, item("a")) == "a stands"
    assert lane.groups == [["a"]]


async def test_units_that_come_while_one_is_written_go_together() -> None:
    queue, lane = WriteQueue(groups_max=1), RecordingLane()

    tasks = await handed(queue, lane, item("a"), item("b"), item("c"))
    lane.may_end.set()

    assert await asyncio.gather(*tasks) == ["a stands", "b stands", "c stands"]
    assert lane.groups == [["a"], ["b", "c"]]


async def test_units_of_one_key_follow_each_other_in_their_order() -> None:
    queue, lane = WriteQueue(groups_max=2), RecordingLane()

    tasks = await handed(queue, lane, item("a1"), item("a2"), item("b"), item("a3"))
    assert lane.groups == [["a1"], ["b"]]  # a2 waits although another group could begin
    lane.may_end.set()
    await asyncio.gather(*tasks)

    assert lane.groups == [["a1"], ["b"], ["a2"], ["a3"]]


async def test_units_of_other_lanes_never_share_a_transaction() -> None:
    queue, one, other = WriteQueue(groups_max=1), RecordingLane(), RecordingLane()
    first = await handed(queue, one, item("a"))
    rest = [*await handed(queue, one, item("b")), *await handed(queue, other, item("b"))]
    one.may_end.set()
    other.may_end.set()
    await asyncio.gather(*first, *rest)

    assert (one.groups, other.groups) == ([["a"], ["b"]], [["b"]])


async def test_a_unit_that_needs_a_transaction_of_its_own_gets_it() -> None:
    queue, lane = WriteQueue(groups_max=1), RecordingLane()

    tasks = await handed(queue, lane, item("a"), item("b"), item("c", alone=True), item("d"))
    lane.may_end.set()
    await asyncio.gather(*tasks)

    assert lane.groups == [["a"], ["b", "d"], ["c"]]


async def test_a_group_holds_no_more_rows_than_it_may() -> None:
    queue, lane = WriteQueue(groups_max=1, group_rows_max=3), RecordingLane()

    tasks = await handed(queue, lane, item("a"), item("b", rows=2), item("c", rows=2), item("d"))
    lane.may_end.set()
    await asyncio.gather(*tasks)

    assert lane.groups == [["a"], ["b", "d"], ["c"]]


@pytest.mark.parametrize(
    "fault",
    [refused_data(), OperationTimeout("too long"), LockTimeout("in the way")],
    ids=lambda f: type(f).__name__,
)
async def test_one_bad_unit_does_not_spoil_its_group(fault: Exception) -> None:
    queue, lane = WriteQueue(groups_max=1), RecordingLane()
    lane.fault = lambda names: fault if "b" in names else None

    tasks = await handed(queue, lane, item("a"), item("b"), item("c"))
    lane.may_end.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert outcomes == ["a stands", fault, "c stands"]
    assert lane.groups == [["a"], ["b", "c"], ["b"], ["c"]]


async def test_a_group_is_written_in_the_context_of_its_first_unit() -> None:
    seen: list[str] = []
    queue, lane = WriteQueue(groups_max=1), RecordingLane()
    lane.fault = lambda _names: seen.append(REQUEST.get())
    tasks = []
    for name in "abc":
        REQUEST.set(f"request {name}")
        tasks += await handed(queue, lane, item(name))
    lane.may_end.set()
    await asyncio.gather(*tasks)

    assert lane.groups == [["a"], ["b", "c"]]
    assert seen == ["request a", "request b"]  # and not the one whose end made room


async def test_what_waits_is_shown_until_it_is_taken() -> None:
    queue, lane = WriteQueue(groups_max=1), RecordingLane()
    hand_over()
    before = WRITE_QUEUE_UNITS._value.get()

    first, second, third = await handed(queue, lane, item("a"), item("b"), item("c"))
    third.cancel()
    with pytest.raises(Unavailable):
        await third
    hand_over()
    assert WRITE_QUEUE_UNITS._value.get() - before == 1

    lane.may_end.set()
    await asyncio.gather(first, second)
    hand_over()
    assert WRITE_QUEUE_UNITS._value.get() == before


async def test_a_lost_connection_is_every_callers_outcome_and_nothing_is_written_twice() -> None:
    queue, lane = WriteQueue(groups_max=1), RecordingLane()
    lost = Unavailable("the connection broke", outcome_unknown=True)
    lane.fault = lambda names: lost if "b" in names else None

    tasks = await handed(queue, lane, item("a"), item("b"), item("c"))
    lane.may_end.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert outcomes == ["a stands", lost, lost]
    assert lane.groups == [["a"], ["b", "c"]]


async def test_a_collision_has_the_whole_group_done_again() -> None:
    queue, lane = WriteQueue(groups_max=1), RecordingLane()
    faults = iter([None, WriteCollision("in the way"), None])
    lane.fault = lambda _names: next(faults)

    tasks = await handed(queue, lane, item("a"), item("b"), item("c"))
    lane.may_end.set()

    assert await asyncio.gather(*tasks) == ["a stands", "b stands", "c stands"]
    assert lane.groups == [["a"], ["b", "c"], ["b", "c"]]


async def test_a_full_queue_refuses_at_once() -> None:
    queue, lane = WriteQueue(groups_max=1, rows_max=2), RecordingLane()
    tasks = await handed(queue, lane, item("a"), item("b", rows=2))

    with pytest.raises(Unavailable, match="too many writes are waiting"):
        await queue.written(lane, item("c"))

    lane.may_end.set()
    assert await asyncio.gather(*tasks) == ["a stands", "b stands"]
    assert lane.groups == [["a"], ["b"]]


async def test_who_stops_waiting_takes_back_what_was_not_begun() -> None:
    queue, lane = WriteQueue(groups_max=1), RecordingLane()
    first, second = await handed(queue, lane, item("a"), item("b"))

    second.cancel()
    with pytest.raises(Unavailable) as told:
        await second
    lane.may_end.set()

    assert not told.value.outcome_unknown
    assert await first == "a stands"
    assert lane.groups == [["a"]]


async def test_who_stops_waiting_for_what_was_begun_is_told_that_nobody_knows() -> None:
    queue, lane = WriteQueue(groups_max=1), RecordingLane()
    first, second = await handed(queue, lane, item("a"), item("b"))

    first.cancel()
    with pytest.raises(Unavailable) as told:
        await first
    lane.may_end.set()

    assert told.value.outcome_unknown
    assert await second == "b stands"
    assert lane.groups == [["a"], ["b"]]  # it was written all the same


async def test_closing_waits_for_what_is_being_written() -> None:
    queue, lane = WriteQueue(), RecordingLane()
    (task,) = await handed(queue, lane, item("a"))
    closing = asyncio.create_task(queue.close())
    await asyncio.sleep(0)
    assert not closing.done()

    lane.may_end.set()
    await closing

    assert await task == "a stands"
