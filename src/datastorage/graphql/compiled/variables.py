"""The variables of an operation as their types want them. What is as it should be already is taken as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graphql import (
    GraphQLError,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

from datastorage.graphql.compiled.unsupported import Unsupported
from datastorage.limits import COERCION_ERRORS_MAX

INT_MAX: Final = 2**31 - 1

# Values that these types leave as they are; all others are coerced by graphql-core.
_AS_THEY_ARE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "String": lambda value: type(value) is str,
    "ID": lambda value: type(value) is str,
    "Boolean": lambda value: type(value) is bool,
    "Int": lambda value: type(value) is int and -INT_MAX - 1 <= value <= INT_MAX,
}


def _never(_value: Any) -> bool:
    return False


class Variables:
    """The variable definitions of one operation."""

    def __init__(self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]) -> None:
        self._schema, self._definitions = schema, definitions
        self._each = [_Variable(schema, definition) for definition in definitions]

    def coerced(self, sent: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values, or what is wrong with them in graphql-core's words and order."""
        values = VariableValues({}, {})
        for variable in self._each:
            if not variable.coerce_into(values, sent):
                return get_variable_values(self._schema, self._definitions, sent, COERCION_ERRORS_MAX)
        return values


class _Variable:
    def __init__(self, schema: GraphQLSchema, definition: VariableDefinitionNode) -> None:
        self._schema, self._definition = schema, definition
        self._name = definition.variable.name.value
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError):
            raise Unsupported(self._name)
        self._signature = signature
        self._is_nullable = not isinstance(signature.type, GraphQLNonNull)
        self._is_as_it_is = _AS_THEY_ARE.get(str(signature.type).removesuffix("!"), _never)
        self._absent = get_variable_values(schema, [definition], {})

    def coerce_into(self, values: VariableValues, sent: dict[str, Any]) -> bool:
        """Whether it could be done; if not, graphql-core says why."""
        name, value = self._name, sent.get(self._name, Undefined)
        is_ready = self._is_nullable if value is None else self._is_as_it_is(value)
        if not is_ready:
            return self._coerce_into(values, value)
        values.sources[name] = VariableValueSource(self._signature, value)
        values.coerced[name] = value
        return True

    def _coerce_into(self, values: VariableValues, value: Any) -> bool:
        given = self._absent
        if value is not Undefined:
            given = get_variable_values(self._schema, [self._definition], {self._name: value}, max_errors=1)
        if not isinstance(given, VariableValues):
            return False
        values.sources.update(given.sources)
        values.coerced.update(given.coerced)
        return True
