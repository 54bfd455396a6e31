"""What callers ask one by one is asked at once, and never answered from before they asked."""

import asyncio

import pytest

from datastorage.services.gathering import Gathering


class Library:
    """Answers questions when it is let."""

    def __init__(self) -> None:
        self.questions: list[set[str]] = []
        self.open = asyncio.Event()

    async def ask(self, keys: set[str]) -> dict[str, str]:
        self.questions.append(set(keys))
        await self.open.wait()
        if "fault" in keys:
            raise LookupError("fault")
        return {key: key.upper() for key in keys if key != "unknown"}


async def asked(gathering: Gathering[str, str], *keys: str) -> asyncio.Task[dict[str, str]]:
    task = asyncio.create_task(gathering.of(keys))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_what_is_asked_meanwhile_is_asked_at_once_and_each_gets_its_own() -> None:
    library = Library()
    gathering = Gathering(library.ask)

    first = await asked(gathering, "a")
    others = [await asked(gathering, "b", "unknown"), await asked(gathering, "c", "a")]
    library.open.set()

    assert await first == {"a": "A"}
    assert await asyncio.gather(*others) == [{"b": "B"}, {"c": "C", "a": "A"}]
    assert library.questions == [{"a"}, {"b", "unknown", "c", "a"}]


async def test_a_fault_is_told_to_those_who_took_part_only() -> None:
    library = Library()
    gathering = Gathering(library.ask)

    first = await asked(gathering, "a")
    second = await asked(gathering, "fault")
    library.open.set()

    assert await first == {"a": "A"}
    with pytest.raises(LookupError):
        await second
    assert await gathering.of(["b"]) == {"b": "B"}


async def test_who_is_gone_takes_nobody_along() -> None:
    library = Library()
    gathering = Gathering(library.ask)
    gone, stays = await asked(gathering, "a"), await asked(gathering, "b")
    gone.cancel()
    library.open.set()

    assert await stays == {"b": "B"}
