"""Fields whose type is a view: the resolver answers with a record, the annotation says how clients see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry


def view(resolver: Callable[..., object], description: str) -> Any:
    """A field; Any, because the type checker cannot know that the annotated type is a view of the record."""
    return strawberry.field(resolver=resolver, description=description)
