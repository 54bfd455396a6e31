"""A field with a resolver: what it is asked with, prepared as far as it is the same for every request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, cast

import strawberry
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.values import VariableValues, coerce_argument
from graphql.pyutils import Path
from strawberry import Schema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from datastorage.domain.kind import Wanted
from datastorage.graphql.compiled.conversion import Converters
from datastorage.graphql.compiled.resolving import Resolver, ResultsOfErrors
from datastorage.graphql.compiled.serialisers import Called, answering
from datastorage.graphql.compiled.unsupported import Unfit, Unsupported
from datastorage.graphql.compiled.wanted import Selected, wanted

_NO_VARIABLES: Final = VariableValues({}, {})


class Call:
    """How one selected field asks its resolver. Errors: Unsupported, for fields without one."""

    def __init__(
        self,
        schema: GraphQLSchema,
        parent: GraphQLObjectType,
        by: FieldDetailsList,
        selected: Selected,
        called: Called,
    ) -> None:
        node = by[0].node
        field = parent.fields.get(node.name.value)
        definition = field.extensions.get("strawberry-definition") if field else None
        if field is None or not isinstance(definition, StrawberryField):
            raise Unsupported("no field of Strawberry's")
        self.field, self.definition, self.parent, self.by = field, definition, parent, by
        self.name: str = node.name.value
        self.type: GraphQLOutputType = field.type
        self.answering = answering(schema, field.type, by, selected, called)
        self._resolver = Resolver(definition)
        self.is_async = self._resolver.is_async
        self._results = ResultsOfErrors(_converter(schema), definition)
        self.wanted: Wanted = wanted(field.type, by, selected)
        self._constant: dict[str, Any] = {}
        self._variable: list[_FromVariable] = []
        self._mixed: list[_Argument] = []
        given = {argument.name.value: argument for argument in node.arguments or ()}
        for argument in _arguments_of(schema, definition, field.args):
            self._prepare(argument, node, given.get(argument.name))

    def asked(self, executor: Executor[Any], source: Any, path: Path) -> Any:
        """What the resolver answers, to be awaited if it is async. Errors: Unfit, GraphQLError, before it is asked."""
        info, arguments = CompiledInfo(self, executor, path), self._arguments(executor.variable_values)
        answer = self._resolver.ask(source, info, arguments)
        return self._results.instead_of_errors(answer, info) if self._results.are_there else answer

    async def asked_of_all(
        self, executor: Executor[Any], sources: Sequence[Any], path: Path
    ) -> Sequence[Any]:
        """What the resolver answers for each record, or the error instead. Errors: any that concerns all of them."""
        ask_all = self._resolver.ask_all
        if ask_all is not None:
            return await ask_all(
                sources, CompiledInfo(self, executor, path), **self._arguments(executor.variable_values)
            )
        asked = [self.asked(executor, source, path) for source in sources]
        return await asyncio.gather(*asked, return_exceptions=True) if self.is_async else asked

    def _prepare(self, argument: _Argument, node: FieldNode, given: ArgumentNode | None) -> None:
        if given is None or not _uses_variables(given.value):
            try:
                self._constant.update(argument.of(node, given, _NO_VARIABLES))
            except GraphQLError:
                raise Unsupported(argument.name) from None  # refused, with every request
        elif isinstance(given.value, VariableNode):
            absent = {}
            is_required = isinstance(argument.definition.type, GraphQLNonNull)
            if not is_required or argument.definition.default is not None:
                absent = argument.of(node, None, _NO_VARIABLES)
            self._variable.append(_FromVariable(argument, given.value.name.value, absent, is_required))
        else:
            self._mixed.append(replace(argument, node=node, given=given))

    def _arguments(self, variables: VariableValues) -> dict[str, Any]:
        arguments = self._constant.copy()
        for place in self._variable:
            value = variables.coerced.get(place.variable, Undefined)
            if value is None and place.is_required:
                raise Unfit
            if value is Undefined:
                if place.is_required and not place.absent:
                    raise Unfit
                arguments.update(place.absent)
            else:
                convert = place.argument.convert
                arguments[place.argument.python_name] = value if convert is None else convert(value)
        for argument in self._mixed:
            arguments.update(argument.of(argument.node, argument.given, variables))
        return arguments


class CompiledInfo(strawberry.Info[Any, None]):
    """What a resolver may ask about its field; graphql-core's own description of it is made when asked for."""

    def __init__(self, call: Call, executor: Executor[Any], path: Path) -> None:
        self._call, self._executor, self._path = call, executor, path
        self._field = call.definition

    @property
    def field_name(self) -> str:
        """That of the schema."""
        return self._call.name

    @property
    def wanted(self) -> Wanted:
        """Which attributes of the records found are needed."""
        return self._call.wanted

    @property
    def context(self) -> Any:
        """That of the request."""
        return self._executor.context_value

    @property
    def raw(self) -> GraphQLResolveInfo[Any]:
        """graphql-core's own."""
        return self._raw_info

    @cached_property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]
        nodes = [details.node for details in self._call.by]
        return self._executor.build_resolve_info(self._call.field, nodes, self._call.parent, self._path)


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument of a field, as GraphQL and as Python know it."""

    name: str
    python_name: str
    definition: GraphQLArgument
    convert: Callable[[Any], Any] | None  # None: leaves stay as they are
    node: FieldNode | None = None
    given: ArgumentNode | None = None

    def of(
        self, node: FieldNode | None, given: ArgumentNode | None, variables: VariableValues
    ) -> dict[str, Any]:
        """The argument as the resolver takes it; nothing if it is neither given nor has a default."""
        coerced: dict[str, Any] = {}
        coerce_argument(coerced, cast("FieldNode", node), self.name, self.definition, given, variables, None)
        if not coerced:
            return {}
        value = coerced.popitem()[1]
        return {self.python_name: value if self.convert is None else self.convert(value)}


@dataclass(frozen=True, slots=True)
class _FromVariable:
    argument: _Argument
    variable: str
    absent: dict[str, Any]  # what is passed when the variable is not sent
    is_required: bool


def _arguments_of(
    schema: GraphQLSchema, definition: StrawberryField, arguments: Mapping[str, GraphQLArgument]
) -> Iterator[_Argument]:
    names = _converter(schema).config.name_converter
    by_name = {names.from_argument(argument): argument.python_name for argument in definition.arguments}
    converters = Converters()
    for name, argument in arguments.items():
        yield _Argument(name, by_name[name], argument, converters.of(argument.type))


def _converter(schema: GraphQLSchema) -> GraphQLCoreConverter:
    """What made the schema."""
    made_by: Schema = schema._strawberry_schema  # type: ignore[attr-defined] # noqa: SLF001 -- its only link
    return made_by.schema_converter


def _uses_variables(value: ValueNode) -> bool:
    match value:
        case VariableNode():
            return True
        case ListValueNode(values=values):
            return any(map(_uses_variables, values))
        case ObjectValueNode(fields=fields):
            return any(_uses_variables(field.value) for field in fields)
        case _:
            return False
