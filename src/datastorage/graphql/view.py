"""Fields whose type is a view: the resolver answers with a record, the annotation says how clients see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import strawberry

READS: Final = "reads"


def view(resolver: Callable[..., object], description: str, *, reads: Iterable[str] | None = None) -> Any:
    """A field; Any, because the type checker cannot know that the annotated type is a view of the record.

    `reads`: the attributes of its record that the resolver needs, where it hands the record on to other functions.
    """
    metadata = {} if reads is None else {READS: frozenset(reads)}
    return strawberry.field(resolver=resolver, description=description, metadata=metadata)
