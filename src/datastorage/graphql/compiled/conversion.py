"""Generated functions: what graphql-core made of an input → the class that Strawberry made its type of.

A resolver gets exactly what Strawberry's own conversion would give it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    is_leaf_type,
)
from strawberry.types.base import StrawberryMaybe, StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from datastorage.graphql.compiled.unsupported import Unsupported

Converter = Callable[[Any], Any]


class Converters:
    """One function for each input object type that is asked for, and for those inside it."""

    def __init__(self) -> None:
        self._of: dict[str, Converter] = {}

    def of(self, kind: GraphQLInputType) -> Converter | None:
        """The function for a type; None where values stay as they are. Errors: Unsupported."""
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if isinstance(kind, GraphQLList):
            return _list_of(self.of(kind.of_type))
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind)
        if is_leaf_type(kind):
            return None
        raise Unsupported(str(kind))

    def _when_made(self, name: str) -> Converter:
        """For types that hold themselves."""

        def convert(given: Any) -> Any:
            return self._of[name](given)

        return convert

    def _object(self, of: GraphQLInputObjectType) -> Converter:
        if of.name not in self._of:
            self._of[of.name] = self._when_made(of.name)
            try:
                self._of[of.name] = self._made(of)
            except Unsupported:
                del self._of[of.name]
                raise
        return self._of[of.name]

    def _made(self, of: GraphQLInputObjectType) -> Converter:
        definition: StrawberryObjectDefinition = of.extensions["strawberry-definition"]
        if definition.from_input is not None:
            raise Unsupported(of.name)
        names: dict[str, Any] = {"make": definition.origin}
        implied, lines = [], []
        for name, described in of.fields.items():
            field: StrawberryField = described.extensions["strawberry-definition"]
            if isinstance(field.type, StrawberryMaybe):
                raise Unsupported(field.python_name)
            if field.default_value is MISSING and field.default_factory is MISSING:
                implied.append(f"{field.python_name!r}: None")
            convert = self.of(described.type)
            value = f"given[{name!r}]"
            if convert is not None:
                bound = f"b{len(names)}"
                names[bound] = convert
                value = f"{bound}({value})"
            lines.append(f"    if {name!r} in given: fields[{field.python_name!r}] = {value}")
        source = [
            "def convert(given):",
            "    if given is None: return None",
            f"    fields = {{{', '.join(implied)}}}",
            *lines,
            "    return make(**fields)",
        ]
        exec("\n".join(source), names)  # noqa: S102 -- only names of the schema and of bound objects
        made: Converter = names["convert"]
        return made


def _list_of(convert: Converter | None) -> Converter:
    def each(items: Any) -> Any:
        if items is None:
            return None
        return list(items) if convert is None else [convert(item) for item in items]

    return each
