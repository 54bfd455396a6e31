"""Mutations that are not done when their request has to end answer so by themselves. Put on by `schema`.

Cut off from outside, a request would lose what its other fields have answered, and a client of a batch would have to
guess. What was begun may stand all the same: a repetition is safe, and tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver
from strawberry.types.field import StrawberryField

from datastorage.errors import Unavailable
from datastorage.graphql.context import Context
from datastorage.graphql.errors import unavailable_error
from datastorage.graphql.query_size import ITEMS


def within_deadline(fields: Iterable[StrawberryField]) -> None:
    """Ends these root fields when their request has to end."""
    for field in fields:
        field.extensions.append(WithinDeadline())


class WithinDeadline(FieldExtension):
    """Around one mutation."""

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: strawberry.Info[Context, None], **kwargs: Any
    ) -> Any:
        """Answers as the field does, or with `UnavailableError`: of a batch, for each item."""
        deadline = info.context.deadline
        late = deadline is not None and asyncio.get_running_loop().time() >= deadline
        if not late:
            try:
                async with asyncio.timeout_at(deadline) as limit:
                    return await next_(source, info, **kwargs)
            except TimeoutError:
                if not limit.expired():
                    raise
        error = Unavailable(
            "the request took too long; try again"
            if late
            else "the request took too long; repeat it to learn its outcome",
            outcome_unknown=not late,
        )
        if ITEMS in kwargs:
            return [unavailable_error(error) for _ in kwargs[ITEMS]]
        raise error
