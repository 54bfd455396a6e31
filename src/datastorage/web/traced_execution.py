"""A span around each GraphQL operation: its kind and name, and what it was answered, never what it says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Final

from strawberry import Schema
from strawberry.types.graphql import OperationType

from datastorage.graphql.compiled.execution import Execution, Result
from datastorage.graphql.context import Context
from datastorage.observability.spans import Spans
from datastorage.web.graphql_request import label_of
from datastorage.web.graphql_response import codes_of

OURS: Final = {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}  # what is no fault of the caller's


class TracedExecution(Execution):
    """Executes operations as it is told, within spans."""

    def __init__(self, schema: Schema, *, compiled: bool, spans: Spans, redact: Callable[[str], str]) -> None:
        super().__init__(schema, compiled=compiled)
        self._spans, self._redact = spans, lru_cache(1_000)(redact)

    async def execute(
        self,
        query: str,
        variables: dict[str, Any] | None,
        name: str | None,
        context: Context,
        allowed: Collection[OperationType],
    ) -> Result:
        """The result of an operation. Errors: those of Strawberry for operations that cannot be chosen."""
        label = self._redact(label_of(query, name))
        kind, _, named = label.partition(" ")
        attributes = {"graphql.operation.type": kind, "graphql.operation.name": named}
        with self._spans.within(label, attributes) as span:
            result = await super().execute(query, variables, name, context, allowed)
            codes = codes_of(result, context.refusals)
            if codes:
                span.note({"datastorage.errors": ",".join(codes)})
            for code in codes:
                if code in OURS:
                    span.failed(code)
            return result
