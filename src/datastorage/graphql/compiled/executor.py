"""graphql-core's executor, with what a plan knows beforehand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeGuard, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    default_field_resolver,
    default_type_resolver,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry.execution import optimized_is_awaitable

from datastorage.graphql.compiled.calls import Call, CompiledInfo
from datastorage.graphql.compiled.operation import CompiledOperation
from datastorage.graphql.context import Context

_is_awaitable: Final = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


class CompiledExecutor(Executor[Any]):
    """Runs one operation for one request. Resolvers, their arguments and errors are graphql-core's business."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: CompiledOperation,
        context: Context,
        variables: VariableValues,
    ) -> None:
        super().__init__(
            schema,
            operation.fragment_definitions,
            operation.fragments,
            None,
            context,
            operation.operation,
            variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=_is_awaitable,
        )
        self._plan = operation.plan(variables)

    async def answer(self) -> ExecutionResult:
        """Data and errors."""
        plan, data = self._plan, None
        try:
            one_by_one = plan.is_mutation and len(plan.root_fields) > 1
            execute = self.execute_fields_serially if one_by_one else self.execute_fields
            fields = execute(plan.root_type, None, None, plan.root_fields, None)
            data = await fields if isinstance(fields, Awaitable) else fields
        except GraphQLError as error:
            self.collected_errors.add(error, None)
        return ExecutionResult(data, self.collected_errors.errors or None)

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: Any,
    ) -> Any:
        """Asks a resolver that is awaited, with what was prepared for it; other fields are graphql-core's."""
        call = self._plan.call(parent_type, field_details_list)
        if call is None:
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        try:
            asked = call.asked(self, source, path)
        except Exception:  # noqa: BLE001 -- nobody was asked; graphql-core meets the same fault, and locates it
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        return self._completed(call, asked, path, position_context)

    async def _completed(self, call: Call, asked: Awaitable[Any], path: Path, position_context: Any) -> Any:
        """The answer of a resolver as part of the operation's answer."""
        try:
            found = await asked
            if call.serialise is not None:
                try:
                    return call.serialise(found)
                except Exception:  # noqa: BLE001, S110 -- graphql-core meets the same fault below, and locates it
                    pass
            info = CompiledInfo(call, self, path).raw
            completed = self.complete_value(call.type, call.by, info, path, found, position_context)
            return await completed if isinstance(completed, Awaitable) else completed
        except Exception as error:  # noqa: BLE001 -- as graphql-core does
            self.handle_field_error(error, call.type, call.by, path)
            return None

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_details_list: FieldDetailsList
    ) -> CollectedFields:
        """As collected for the plan."""
        return self._plan.selected(return_type, field_details_list)

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Any:
        """What has a function at once, in the places of all; the rest is resolved by graphql-core."""
        whole = super().execute_fields
        try:
            serialise, rest = self._plan.divided(parent_type, grouped_field_set)
            written = None if len(rest) == len(grouped_field_set) else serialise(source_value)
        except Exception:  # noqa: BLE001 -- graphql-core meets the same fault, and locates it
            return whole(parent_type, source_value, path, grouped_field_set, position_context)
        resolved: Any = whole(parent_type, source_value, path, rest, position_context)
        if written is None:
            return resolved
        if not isinstance(resolved, Awaitable):
            return written | resolved

        async def both() -> dict[str, Any]:
            merged: dict[str, Any] = written | await resolved
            return merged

        return both()

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """By its generated function; whatever does not fit is completed, or refused, by graphql-core."""
        serialise = self._plan.serialiser(return_type, field_details_list)
        if serialise is not None:
            try:
                return serialise(result)
            except Exception:  # noqa: BLE001, S110 -- graphql-core meets the same fault below, and locates it
                pass
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Any,
        position_context: Any,
    ) -> Any:
        """A list of objects at once, without a path for each."""
        of_type = getattr(item_type, "of_type", item_type)
        if is_object_type(of_type) and isinstance(items, list | tuple):
            serialise = self._plan.serialiser(of_type, field_details_list)
            if serialise is not None:
                try:
                    return [serialise(item) for item in items]
                except Exception:  # noqa: BLE001, S110 -- as above
                    pass
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )
