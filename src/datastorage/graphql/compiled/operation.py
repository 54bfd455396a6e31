"""One operation of a document that is known to be valid."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from graphql import (
    ArgumentNode,
    ConstArgumentNode,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    Visitor,
    parse,
    visit,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues
from strawberry.types.graphql import OperationType as Kind

from datastorage.graphql.compiled.plan import Plan
from datastorage.graphql.compiled.unsupported import Unsupported
from datastorage.graphql.compiled.variables import Variables
from datastorage.graphql.input_size import SentVariables
from datastorage.graphql.query_limits import QueryLimits, input_refusals, refusals
from datastorage.graphql.query_size import ITEMS, PAGE_SIZES, measured
from datastorage.limits import COMPILED_VARIANTS_MAX

K = TypeVar("K")
V = TypeVar("V")

_CONDITIONS: Final = {"skip", "include"}
_SIZES: Final = {*PAGE_SIZES, ITEMS}


class CompiledOperation:
    """What of an operation is the same for every request, worked out once."""

    def __init__(self, schema: GraphQLSchema, document: str, name: str | None, limits: QueryLimits) -> None:
        self._schema, self._limits, self._name = schema, limits, name
        self._document = parse(document)
        self.operation = _chosen(self._document, name)
        self.kind = Kind(self.operation.operation.value)
        self.fragment_definitions = {
            node.name.value: node
            for node in self._document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.fragments = {name: FragmentDetails(node) for name, node in self.fragment_definitions.items()}
        definitions = self.operation.variable_definitions or ()
        self._variables, self._sent = Variables(schema, definitions), SentVariables(schema, definitions)
        used = _UsedVariables()
        visit(self._document, used)
        self._conditions, self._sizes = sorted(used.conditions), sorted(used.sizes)
        self._plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        self._measured: OrderedDict[tuple[Any, ...], tuple[int, list[GraphQLError]]] = OrderedDict()

    def measured(self, variables: Mapping[str, Any]) -> tuple[int, list[GraphQLError]]:
        """What the operation costs with these variables, as sent, and why that is too much; nothing if it is not."""
        key = tuple(_size(variables.get(name, Undefined)) for name in self._sizes)
        found = self._measured.get(key)
        if found is None:
            size = measured(self._schema, self._document, self._name, variables)
            found = _remember(self._measured, key, (size.cost, refusals(size, self._limits)))
        cost, refused = found
        return cost, refused + input_refusals(self._sent, variables, self._limits)

    def coerced(self, variables: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """The variables as their types want them, or what is wrong with them."""
        return self._variables.coerced(variables)

    def plan(self, variables: VariableValues) -> Plan:
        """What is selected, given the variables that `@skip` and `@include` look at."""
        key = tuple(variables.coerced.get(name, Undefined) for name in self._conditions)
        found = self._plans.get(key)
        if found is None:
            plan = Plan(self._schema, self.fragments, self.operation, variables)
            found = _remember(self._plans, key, plan)
        return found


class _UsedVariables(Visitor):
    """Which variables decide what is selected, and which how large the answer may become."""

    def __init__(self) -> None:
        super().__init__()
        self.conditions: set[str] = set()
        self.sizes: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value in _CONDITIONS:
            self.conditions.update(_variables(*node.arguments or ()))

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        if node.name.value in _SIZES:
            self.sizes.update(_variables(node))


def _variables(*arguments: ArgumentNode | ConstArgumentNode) -> Iterator[str]:
    for argument in arguments:
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is not None:
        operations = [node for node in operations if node.name and node.name.value == name]
    if len(operations) != 1:
        raise Unsupported("no single operation")
    if operations[0].operation is OperationType.SUBSCRIPTION:
        raise Unsupported("not answered once")
    return operations[0]


def _size(value: Any) -> Any:
    """All that the measuring looks at: a number, or how many items a list has."""
    return ("items", len(value)) if isinstance(value, list) else value if isinstance(value, int) else None


def _remember(known: OrderedDict[K, V], key: K, value: V) -> V:
    known[key] = value
    if len(known) > COMPILED_VARIANTS_MAX:
        known.popitem(last=False)
    return value
