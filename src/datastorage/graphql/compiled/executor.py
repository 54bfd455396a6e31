"""graphql-core's executor, with what a plan knows beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry.execution import optimized_is_awaitable

from datastorage.graphql.compiled.calls import Call, CompiledInfo
from datastorage.graphql.compiled.operation import CompiledOperation
from datastorage.graphql.compiled.serialisers import Answering, Gap, Waiting
from datastorage.graphql.compiled.unsupported import Unfit
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
        self._found: dict[tuple[int, int], Found] = {}  # by record and field, of what could not be written

    async def answer(self) -> ExecutionResult:
        """Data and errors."""
        plan, data = self._plan, None
        try:
            if len(plan.root_fields) == 1:
                data = await self._only_field(*next(iter(plan.root_fields.items())))
            else:
                execute = self.execute_fields_serially if plan.is_mutation else self.execute_fields
                fields = execute(plan.root_type, None, None, plan.root_fields, None)
                data = await fields if isinstance(fields, Awaitable) else fields
        except GraphQLError as error:
            self.collected_errors.add(error, None)
        return ExecutionResult(data, self.collected_errors.errors or None)

    async def _only_field(self, key: str, by: FieldDetailsList) -> dict[str, Any]:
        """What most operations are: nothing that it would have to be gathered with."""
        root = self._plan.root_type
        found = self.execute_field(root, None, by, Path(None, key, root.name), None)
        return {key: await found if _is_awaitable(found) else found}

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
        if call is None or not call.is_async:
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        found = self._found.get((id(source), id(field_details_list)))
        try:
            asked = call.asked(self, source, path) if found is None else found.again()
        except Exception:  # noqa: BLE001 -- nobody was asked; graphql-core meets the same fault, and locates it
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        return self._completed(call, asked, path, position_context)

    async def _completed(self, call: Call, asked: Awaitable[Any], path: Path, position_context: Any) -> Any:
        """The answer of a resolver as part of the operation's answer."""
        try:
            found = await asked
            if call.answering is not None:
                try:
                    return await self._written(call.answering, found, path)
                except Exception:  # noqa: BLE001, S110 -- graphql-core meets the same fault below, and locates it
                    pass
            info = CompiledInfo(call, self, path).raw
            completed = self.complete_value(call.type, call.by, info, path, found, position_context)
            return await completed if isinstance(completed, Awaitable) else completed
        except Exception as error:  # noqa: BLE001 -- as graphql-core does
            self.handle_field_error(error, call.type, call.by, path)
            return None

    async def _written(self, answering: Answering, found: Any, path: Path) -> Any:
        """By its generated function, then gap by gap. Errors: whatever does not fit, or was met by a resolver."""
        waiting = answering.nothing_waiting()
        written = answering.serialise(found, waiting)
        if waiting:
            await self._fill(answering.gaps, waiting, path)
        return written

    async def _fill(self, gaps: Sequence[Gap], waiting: Waiting, path: Path) -> None:
        """Level by level: each resolver is asked about all records of a level at once, and all resolvers together."""
        left = [
            self._fill_one(gap, records, path) for gap, records in zip(gaps, waiting, strict=True) if records
        ]
        if len(left) == 1:
            await left[0]
            return
        faults = [each for each in await asyncio.gather(*left, return_exceptions=True) if each is not None]
        if faults:
            raise faults[0]

    async def _fill_one(self, gap: Gap, records: Sequence[tuple[Any, dict[str, Any]]], path: Path) -> None:
        call = gap.call
        try:
            found = await call.asked_of_all(self, [record for record, _ in records], path)
        except Exception as error:  # noqa: BLE001 -- it is told for each record, by graphql-core
            found = [error] * len(records)
        answering = call.answering
        if answering is None or any(isinstance(each, BaseException) for each in found):
            self._remember(call, records, found)
            raise Unfit
        waiting = answering.nothing_waiting()
        try:
            for (_, written), answer in zip(records, found, strict=True):
                written[gap.key] = answering.serialise(answer, waiting)
            if waiting:
                await self._fill(answering.gaps, waiting, path)
        except Exception:
            self._remember(call, records, found)
            raise

    def _remember(
        self, call: Call, records: Sequence[tuple[Any, dict[str, Any]]], found: Sequence[Any]
    ) -> None:
        """So that no resolver is asked twice when graphql-core goes the same way again."""
        for (record, _), answer in zip(records, found, strict=True):
            self._found[id(record), id(call.by)] = Found(answer)

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_details_list: FieldDetailsList
    ) -> CollectedFields:
        """As collected for the plan."""
        return self._plan.selected(return_type, field_details_list)


@dataclass(frozen=True, slots=True)
class Found:
    """What a resolver answered, or the error that it met."""

    answer: Any

    async def again(self) -> Any:
        """As if it were asked."""
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer
