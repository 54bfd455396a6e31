"""Who answers an operation: the compiled executor where it has been compiled, Strawberry where not. Called by web."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from graphql import ExecutionResult, GraphQLError
from strawberry import Schema
from strawberry.types import ExecutionResult as StrawberryResult
from strawberry.types.graphql import OperationType

from datastorage.graphql.compiled.executor import CompiledExecutor
from datastorage.graphql.compiled.operation import CompiledOperation
from datastorage.graphql.compiled.operations import REFERENCE_ONLY, CompiledOperations
from datastorage.graphql.compiled.unsupported import Unsupported
from datastorage.graphql.context import Context
from datastorage.graphql.errors import presented
from datastorage.graphql.hidden_schema import without_the_schema
from datastorage.graphql.query_limits import LimitQueries, QueryLimits
from datastorage.observability.labels import Executor
from datastorage.observability.metrics import count_execution

Result = ExecutionResult | StrawberryResult


class Execution:
    """Executes operations, each kind compiled after its first success."""

    def __init__(self, schema: Schema, *, compiled: bool) -> None:
        self._schema, self._compiled = schema, compiled
        self.limits = _limits(schema)
        self._operations = CompiledOperations()

    async def execute(
        self,
        query: str,
        variables: dict[str, Any] | None,
        name: str | None,
        context: Context,
        allowed: Collection[OperationType],
    ) -> Result:
        """The result of an operation. Errors: those of Strawberry for operations that cannot be chosen."""
        key = (query, name)
        operation = self._operations.get(key)
        if operation is not None and operation.kind in allowed:
            count_execution(Executor.COMPILED)
            return await self._run(operation, variables or {}, context)
        refused = self._compiled and key in self._operations
        count_execution(Executor.FALLBACK if refused else Executor.REFERENCE)
        result = await self._schema.execute(
            query,
            variable_values=variables,
            operation_name=name,
            context_value=context,
            allowed_operation_types=allowed,
        )
        if self._compiled and not refused and ran(result):
            self._operations.put(key, self._compile(query, name))
        return result

    async def _run(self, operation: CompiledOperation, variables: dict[str, Any], context: Context) -> Result:
        context.cost, refused = operation.measured(variables)
        if refused:
            return self._presented(ExecutionResult(None, list(refused)), operation)
        values = operation.coerced(variables)
        if isinstance(values, list):
            return self._presented(ExecutionResult(None, values), operation)
        executor = CompiledExecutor(self._schema._schema, operation, context, values)  # noqa: SLF001 -- no public way
        return self._presented(await executor.answer(), operation)

    def _presented(self, result: ExecutionResult, operation: CompiledOperation) -> ExecutionResult:
        if result.errors:
            told = result.errors if self.limits.introspection else without_the_schema(result.errors)
            result.errors = presented(told, writes=operation.kind is OperationType.MUTATION)
        return result

    def _compile(self, query: str, name: str | None) -> CompiledOperation | None:
        try:
            return CompiledOperation(self._schema._schema, query, name, self.limits)  # noqa: SLF001 -- as above
        except Unsupported:
            return REFERENCE_ONLY


def ran(result: Any) -> bool:
    """Whether the operation was valid and its resolvers were asked."""
    errors: list[GraphQLError] = getattr(result, "errors", None) or []
    return result.data is not None or any(error.path for error in errors)


def _limits(schema: Schema) -> QueryLimits:
    """The limits that the schema itself holds operations to."""
    return next(
        (
            extension.limits
            for extension in schema.extensions
            if isinstance(extension, type) and issubclass(extension, LimitQueries)
        ),
        QueryLimits(),
    )
