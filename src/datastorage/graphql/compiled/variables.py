"""The variables of an operation as their types want them. What is as it should be already is taken as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    get_named_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_variable_values,
    input_is_nested_too_deeply,
)

from datastorage.graphql.compiled.coercion import Coercers
from datastorage.graphql.compiled.unsupported import Unsupported
from datastorage.limits import COERCION_ERRORS_MAX


class Variables:
    """The variable definitions of one operation."""

    def __init__(self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]) -> None:
        self._schema, self._definitions = schema, definitions
        coercers = Coercers()
        self._each = [_Variable(schema, definition, coercers) for definition in definitions]

    def coerced(self, sent: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values, or what is wrong with them in graphql-core's words and order."""
        values = VariableValues({}, {})
        for variable in self._each:
            if not variable.coerce_into(values, sent):
                return get_variable_values(self._schema, self._definitions, sent, COERCION_ERRORS_MAX)
        return values


class _Variable:
    def __init__(self, schema: GraphQLSchema, definition: VariableDefinitionNode, coercers: Coercers) -> None:
        self._name = definition.variable.name.value
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError):
            raise Unsupported(self._name)
        self._signature = signature
        self._coerce = coercers.of(signature.type)
        self._can_be_deep = _holds_itself(signature.type)
        self._absent = get_variable_values(schema, [definition], {})

    def coerce_into(self, values: VariableValues, sent: dict[str, Any]) -> bool:
        """Whether it could be done; if not, graphql-core says why."""
        name, value = self._name, sent.get(self._name, Undefined)
        if value is Undefined:
            return self._left_out(values)
        try:
            if self._can_be_deep and input_is_nested_too_deeply(value, self._signature.type):
                return False
            values.coerced[name] = self._coerce(value)
        except Exception:  # noqa: BLE001 -- graphql-core meets the same fault, and tells it
            return False
        values.sources[name] = VariableValueSource(self._signature, value)
        return True

    def _left_out(self, values: VariableValues) -> bool:
        if not isinstance(self._absent, VariableValues):
            return False
        values.sources.update(self._absent.sources)
        values.coerced.update(self._absent.coerced)
        return True


def _holds_itself(of: GraphQLInputType) -> bool:
    """Whether values of a type can be nested as deeply as a client likes."""
    named = get_named_type(of)
    waiting, seen = [named], set[str]()
    while waiting:
        kind = waiting.pop()
        if not isinstance(kind, GraphQLInputObjectType) or kind.name in seen:
            continue
        seen.add(kind.name)
        inside = [get_named_type(field.type) for field in kind.fields.values()]
        if any(each.name in seen for each in inside):
            return True
        waiting += inside
    return False
