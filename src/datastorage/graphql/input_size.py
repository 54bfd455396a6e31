"""How much is sent as variables: known before anything of it is looked at in earnest, which takes a thousand times longer.

Called by the guard of `query_limits` and by compiled operations. What a request holds beyond that, JSON and long texts,
is bounded by the rules of its fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    VariableDefinitionNode,
    is_input_type,
    is_leaf_type,
    type_from_ast,
)


@dataclass(frozen=True, slots=True)
class InputSize:
    """JSON scalars count as one value, whatever they hold."""

    objects: int = 0
    values: int = 0  # fields of objects and items of lists


class SentVariables:
    """The variables of an operation that can hold more than one value."""

    def __init__(self, schema: GraphQLSchema, definitions: Iterable[VariableDefinitionNode]) -> None:
        types = {each.variable.name.value: type_from_ast(schema, each.type) for each in definitions}
        self._types: dict[str, GraphQLInputType] = {
            name: of
            for name, of in types.items()
            if of is not None and is_input_type(of) and not is_leaf_type(of)
        }

    def measured(self, variables: Mapping[str, Any], most: InputSize) -> InputSize:
        """Their size, counted no further than one step beyond the most that is allowed."""
        objects = values = 0
        waiting = [(variables[name], of) for name, of in self._types.items() if name in variables]
        while waiting and objects <= most.objects and values <= most.values:
            value, of = waiting.pop()
            if isinstance(of, GraphQLNonNull):
                of = of.of_type
            if isinstance(of, GraphQLList):
                items = value if isinstance(value, list) else [value]
                values += len(items)
                if values <= most.values and not is_leaf_type(of.of_type):
                    waiting.extend((item, of.of_type) for item in items)
            elif isinstance(of, GraphQLInputObjectType) and isinstance(value, dict):
                objects, values = objects + 1, values + len(value)
                if values <= most.values:
                    waiting.extend(
                        (value[name], of.fields[name].type) for name in value.keys() & of.fields.keys()
                    )
        return InputSize(objects, values)
