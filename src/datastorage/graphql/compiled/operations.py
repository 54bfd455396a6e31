"""What is compiled, by the text of its document and the name of the operation; the longest unused goes first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from datastorage.graphql.compiled.operation import CompiledOperation
from datastorage.limits import COMPILED_CHARS_MAX

Key = tuple[str, str | None]
REFERENCE_ONLY: Final = None


@dataclass(slots=True)
class CompiledOperations:
    """Bounded by the characters of all documents, as their trees take memory in proportion."""

    chars_max: int = COMPILED_CHARS_MAX
    _known: OrderedDict[Key, CompiledOperation | None] = field(default_factory=OrderedDict)
    _chars: int = 0

    def __contains__(self, key: Key) -> bool:
        return key in self._known

    def get(self, key: Key) -> CompiledOperation | None:
        """The operation; None if it is unknown or for the reference executor only."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: Key, operation: CompiledOperation | None) -> None:
        """Remembers an operation, or with None that it cannot be compiled."""
        size = len(key[0])
        if key in self._known or size > self.chars_max:
            return
        self._known[key] = operation
        self._chars += size
        while self._chars > self.chars_max:
            (document, _), _ = self._known.popitem(last=False)
            self._chars -= len(document)
