"""The walk over a JSON value: strings as text, and below a key that announces a secret every scalar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from datastorage.redaction.findings import Finding, findings
from datastorage.redaction.json_members import Announced, announcements
from datastorage.redaction.markers import marker

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
TextRedaction: TypeAlias = Callable[[str], tuple[str, tuple[Finding, ...]]]


@dataclass(frozen=True, slots=True)
class _Place:
    """A value still to copy, where its copy goes, and what its key announced."""

    put: Callable[[JsonValue], None]
    value: JsonValue
    announced: Announced | None


class JsonWalk:
    """One walk, with its counts. Iterative, because a stranger chooses the depth."""

    def __init__(self, text: TextRedaction, is_marker: Callable[[str], bool]) -> None:
        self._text = text
        self._is_marker = is_marker
        self._counts: Counter[str] = Counter()

    def redacted(self, value: JsonValue) -> tuple[JsonValue, tuple[Finding, ...]]:
        """A copy of the value, of the same shape; the value itself is left alone."""
        copied: list[JsonValue] = []
        pending = [_Place(copied.append, value, None)]
        while pending:
            place = pending.pop()
            if isinstance(place.value, dict):
                pending += self._members(place, place.value)
            elif isinstance(place.value, list):
                pending += self._items(place, place.value)
            else:
                place.put(self._scalar(place.value, place.announced))
        return copied[0], findings(self._counts)

    def _members(self, place: _Place, node: dict[str, JsonValue]) -> Iterator[_Place]:
        keys = self._keys(node)
        # Every key is there from the start, so that the order stays whatever is copied first.
        members: dict[str, JsonValue] = dict.fromkeys(keys.values())
        place.put(members)
        deep = place.announced if place.announced is not None and place.announced.deep else None
        announced = announcements(node)
        for key, value in node.items():
            yield _Place(_member_setter(members, keys[key]), value, deep or announced.get(key))

    def _items(self, place: _Place, node: list[JsonValue]) -> Iterator[_Place]:
        items: list[JsonValue] = []
        place.put(items)
        # The last one pushed is the first one copied.
        for value in reversed(node):
            yield _Place(items.append, value, place.announced)

    def _keys(self, node: Iterable[str]) -> dict[str, str]:
        """Each key and its redacted form; two keys that held secrets do not become one."""
        clean = {key: self._counted(key) for key in node}
        taken = {key for key, form in clean.items() if key == form}
        numbers: Counter[str] = Counter()
        for key, form in clean.items():
            if key == form:
                continue
            while clean[key] in taken:
                numbers[form] += 1
                clean[key] = f"{form} {numbers[form] + 1}"
            taken.add(clean[key])
        return clean

    def _scalar(self, value: JsonValue, announced: Announced | None) -> JsonValue:
        if announced is None or not announced.hides(value):
            return self._counted(value) if isinstance(value, str) else value
        if announced.spoken is not None:
            return self._after(announced.spoken, value) if isinstance(value, str) else value
        return self._hidden(value, announced)

    def _after(self, spoken: str, value: str) -> str:
        clean, found = self._text(spoken + value)
        self._count(found)
        return clean.removeprefix(spoken)

    def _hidden(self, value: JsonValue, announced: Announced) -> str:
        if isinstance(value, str):
            clean, found = self._text(value)
            if self._is_marker(clean):  # hidden already, or under a name of its own
                self._count(found)
                return clean
        self._counts[announced.pattern] += 1
        return marker(announced.pattern)

    def _counted(self, value: str) -> str:
        clean, found = self._text(value)
        self._count(found)
        return clean

    def _count(self, found: tuple[Finding, ...]) -> None:
        for finding in found:
            self._counts[finding.pattern] += finding.count


def strings_of(value: JsonValue) -> Iterator[str]:
    """Every key and every string in a value, in no order."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            yield from node
            pending += node.values()
        elif isinstance(node, list):
            pending += node


def _member_setter(members: dict[str, JsonValue], key: str) -> Callable[[JsonValue], None]:
    def put(value: JsonValue) -> None:
        members[key] = value

    return put
