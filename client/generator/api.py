"""The schema as the client sees it: root fields, their arguments, and what Python calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from graphql import (
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    print_ast,
    visit,
)

from generator.places import FRAGMENTS, SCHEMA

SCALARS: Final = {
    "ID": "str",
    "String": "str",
    "Int": "int",
    "Float": "float",
    "Boolean": "bool",
    "BigInt": "int",
    "DateTime": "datetime",
    "JSON": "Any",
    "JSONObject": "JSONObject",
}
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_KEYWORDS: Final = {"from", "in", "and", "or", "not", "is"}


class Incomplete(Exception):
    """The schema has something that nobody has told the client how to read."""


def snake(name: str) -> str:
    """`requestId` as `request_id`."""
    spelled = _WORD.sub("_", name).lower()
    return f"{spelled}_" if spelled in _KEYWORDS else spelled


def constant(name: str) -> str:
    """`requestId` as `REQUEST_ID`."""
    return _WORD.sub("_", name).upper()


def python_type(kind: GraphQLType) -> str:
    """The annotation of a value; None is part of it where the schema says so."""
    if isinstance(kind, GraphQLNonNull):
        return _bare(kind.of_type)
    return f"{_bare(kind)} | None"


def _bare(kind: GraphQLType) -> str:
    if isinstance(kind, GraphQLList):
        return f"list[{python_type(kind.of_type)}]"
    name = str(get_named_type(kind))
    return SCALARS.get(name, name)


@dataclass(frozen=True)
class Argument:
    """An argument of a root field."""

    name: str
    given: GraphQLArgument

    @property
    def python(self) -> str:
        """Its name in Python."""
        return snake(self.name)

    @property
    def is_required(self) -> bool:
        """Whether there is no call without it."""
        return isinstance(self.given.type, GraphQLNonNull)

    @property
    def annotation(self) -> str:
        """Its type in Python; lists may be of any kind."""
        return python_type(self.given.type).replace("list[", "Sequence[")


@dataclass(frozen=True)
class Root:
    """A field of Query or Mutation."""

    name: str
    field: GraphQLField
    writes: bool

    @property
    def arguments(self) -> list[Argument]:
        """The required ones first, otherwise as the schema has them."""
        found = [Argument(name, given) for name, given in self.field.args.items()]
        return sorted(found, key=lambda argument: not argument.is_required)

    @property
    def result(self) -> GraphQLOutputType:
        """Its type without the outermost `!`."""
        return self.field.type.of_type if isinstance(self.field.type, GraphQLNonNull) else self.field.type

    @property
    def is_connection(self) -> bool:
        """Whether it is read page by page."""
        return str(get_named_type(self.field.type)).endswith("Connection")

    @property
    def is_batch(self) -> bool:
        """Whether it writes many records."""
        return self.writes and isinstance(self.result, GraphQLList)

    @property
    def members(self) -> tuple[GraphQLObjectType, ...]:
        """The payload of a write and the errors it may answer."""
        union = get_named_type(self.field.type)
        if not isinstance(union, GraphQLUnionType):
            raise Incomplete(f"{self.name} answers no union of a payload and errors")
        return tuple(union.types)

    @property
    def interface(self) -> GraphQLInterfaceType | None:
        """What a record of any kind is asked for by."""
        kind = get_named_type(self.field.type)
        return kind if isinstance(kind, GraphQLInterfaceType) else None


class Api:
    """The schema with the fragments that say which fields of a type are read."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.schema, self._fragments = schema, fragments

    @cached_property
    def roots(self) -> list[Root]:
        """All operations, queries first."""
        return [
            Root(name, field, writes=writes)
            for kind, writes in ((self.schema.query_type, False), (self.schema.mutation_type, True))
            for name, field in (kind.fields if kind else {}).items()
        ]

    def kinds(self, interface: GraphQLInterfaceType) -> list[str]:
        """What a record of any kind may turn out to be."""
        return sorted(kind.name for kind in self.schema.get_possible_types(interface))

    def descriptions(self, name: str) -> dict[str, str | None]:
        """Of a type's fields, or an enum's values."""
        kind = self.schema.type_map[name]
        if isinstance(kind, GraphQLEnumType):
            return {value: given.description for value, given in kind.values.items()}
        if isinstance(kind, GraphQLObjectType):
            return {field: given.description for field, given in kind.fields.items()}
        raise Incomplete(f"{name} is no type with fields or values")

    def needed(self, name: str) -> list[str]:
        """A fragment and all that it spreads. Errors: Incomplete when one is missing."""
        found: dict[str, None] = {}
        self._collect(name, found)
        return sorted(found)

    def text(self, name: str) -> str:
        """A fragment on one line."""
        return " ".join(print_ast(self._fragments[name]).split())

    @property
    def fragments(self) -> Iterator[str]:
        """All names."""
        yield from sorted(self._fragments)

    def _collect(self, name: str, found: dict[str, None]) -> None:
        if name in found:
            return
        if name not in self._fragments:
            raise Incomplete(f"client/fragments has no `fragment {name} on {name}`: which fields are read?")
        found[name] = None
        for spread in _spreads(self._fragments[name]):
            self._collect(spread, found)


def read_api() -> Api:
    """What schema.graphql and client/fragments say."""
    documents = "\n".join(place.read_text() for place in sorted(FRAGMENTS.glob("*.graphql")))
    definitions = [node for node in parse(documents).definitions if isinstance(node, FragmentDefinitionNode)]
    return Api(build_schema(SCHEMA.read_text()), {node.name.value: node for node in definitions})


def _spreads(fragment: FragmentDefinitionNode) -> list[str]:
    found: list[str] = []

    class Finder(Visitor):
        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
            found.append(node.name.value)

    visit(fragment, Finder())
    return found
