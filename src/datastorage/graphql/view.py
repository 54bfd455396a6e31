"""Fields whose type is a view: the resolver answers with a record, the annotation says how clients see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import strawberry

READS: Final = "reads"
ASKS_ALL: Final = "asks_all"


def view(
    resolver: Callable[..., object],
    description: str,
    *,
    reads: Iterable[str] | None = None,
    asks_all: Callable[..., Awaitable[Sequence[object]]] | None = None,
) -> Any:
    """A field; Any, because the type checker cannot know that the annotated type is a view of the record.

    `reads`: the attributes of its record that the resolver needs, where it hands the record on to other functions.
    `asks_all`: the same resolver for many records at once: (records, info, the same arguments) → their answers.
    """
    metadata: dict[str, object] = {}
    if reads is not None:
        metadata[READS] = frozenset(reads)
    if asks_all is not None:
        metadata[ASKS_ALL] = asks_all
    return strawberry.field(resolver=resolver, description=description, metadata=metadata)
