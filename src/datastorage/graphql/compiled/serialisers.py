"""Generated functions: a record of the domain → its part of an answer, in the order of the query.

What a field is comes from the schema alone: attributes are read, resolvers that need nothing but their record are
called, leaves are written as their types write them. A field whose resolver waits, or asks for the request, cannot be
part of a generated function; nor can one whose arguments come with the request.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from functools import partial
from typing import Any, Final, cast

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    VariableNode,
    is_leaf_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from datastorage.graphql.compiled.unsupported import Unfit, Unsupported

Serialiser = Callable[[Any], Any]
Divided = tuple[Serialiser, GroupedFieldSet]
Selected = Callable[[GraphQLObjectType, FieldDetailsList], CollectedFields]

_BACK_REFERENCE: Final = "strawberry-definition"
# When a leaf is answered as it is; otherwise its type writes it, or refuses it. Times are written with the whole answer.
_AS_THEY_ARE: Final = {
    "String": "type({0}) is str",
    "ID": "type({0}) is str",
    "Boolean": "type({0}) is bool",
    "BigInt": "type({0}) is int",
    "Int": "type({0}) is int and -0x80000000 <= {0} <= 0x7FFFFFFF",
    "Float": "type({0}) is float and {0} - {0} == 0",
    "DateTime": "{0}.tzinfo is utc",
}
_NO_VARIABLES: Final = VariableValues({}, {})


def generated(
    schema: GraphQLSchema, of: GraphQLObjectType, by: FieldDetailsList, selected: Selected
) -> Serialiser:
    """A function for objects of a type. Errors: Unsupported."""
    return _Generator(schema, selected).function(of, by)


def divided(
    schema: GraphQLSchema, of: GraphQLObjectType, fields: GroupedFieldSet, selected: Selected
) -> Divided:
    """A function for what can be generated of an object, and the fields that cannot."""
    return _Generator(schema, selected).divided(of, fields)


def answering(
    schema: GraphQLSchema, of: GraphQLOutputType, by: FieldDetailsList, selected: Selected
) -> Serialiser | None:
    """A function for whatever a field of a type may answer with; None where none can be generated."""
    try:
        return _Generator(schema, selected).answer(of, by)
    except (Unsupported, GraphQLError):  # a condition without a value is met again, and told, in its place
        return None


class _Generator:
    """Writes the source of one function for one object type; the objects inside have functions of their own."""

    def __init__(self, schema: GraphQLSchema, selected: Selected) -> None:
        self._schema, self._selected = schema, selected
        self._names: dict[str, Any] = {"unfit": Unfit, "utc": UTC}

    def function(self, of: GraphQLObjectType, by: FieldDetailsList) -> Serialiser:
        """All that is selected of an object, which is checked to be of the type."""
        lines = []
        if of.is_type_of is not None:
            lines += [f"    if not {self._name(of.is_type_of)}(record, None): raise unfit"]
        members = []
        for key, fields in self._selected(of, by).grouped_field_set.items():
            value, needed = self._member(of, fields)
            lines += needed
            members.append(f"{key!r}: {value}")
        return self._made(lines, members)

    def answer(self, of: GraphQLOutputType, by: FieldDetailsList) -> Serialiser:
        """A value of any type."""
        source = ["def serialise(value):", *self._completed("value", of, by), "    return value"]
        exec("\n".join(source), self._names)  # noqa: S102 -- as below
        serialise: Serialiser = self._names["serialise"]
        return serialise

    def divided(self, of: GraphQLObjectType, selected: GroupedFieldSet) -> Divided:
        """What can be generated, with None in the places of the rest."""
        lines, members, rest = [], [], {}
        for key, fields in selected.items():
            try:
                value, needed = self._member(of, fields)
            except Unsupported:
                value, needed, rest[key] = "None", [], fields
            lines += needed
            members.append(f"{key!r}: {value}")
        return self._made(lines, members), rest

    def _made(self, lines: list[str], members: list[str]) -> Serialiser:
        source = ["def serialise(record):", *lines, f"    return {{{', '.join(members)}}}"]
        exec("\n".join(source), self._names)  # noqa: S102 -- only names of the schema and of bound objects
        serialise: Serialiser = self._names["serialise"]
        return serialise

    def _member(self, of: GraphQLObjectType, fields: FieldDetailsList) -> tuple[str, list[str]]:
        """The expression for one field's value, and the lines that it needs before it."""
        name = fields[0].node.name.value
        if name == "__typename":
            return repr(of.name), []
        field = of.fields.get(name)
        if field is None:
            raise Unsupported(name)
        value = f"v{len(self._names)}"
        self._names[value] = None  # taken
        read = [f"    {value} = {self._read(field, fields)}"]
        return value, read + self._completed(value, field.type, fields)

    def _read(self, field: GraphQLField, fields: FieldDetailsList) -> str:
        """The expression for what the field's resolver would answer."""
        definition = field.extensions.get(_BACK_REFERENCE)
        if not isinstance(definition, StrawberryField) or definition.extensions:
            raise Unsupported("no field of Strawberry's")
        if definition.base_resolver is None:
            if not definition.python_name.isidentifier():
                raise Unsupported(definition.python_name)
            return f"record.{definition.python_name}"
        return f"{self._name(self._bound(definition, field, fields))}(record)"

    def _bound(
        self, definition: StrawberryField, field: GraphQLField, fields: FieldDetailsList
    ) -> Callable[[Any], Any]:
        """The field's own resolver as a function of its record only."""
        resolver = definition.base_resolver
        if resolver is None or resolver.is_async or resolver.info_parameter or resolver.self_parameter:
            raise Unsupported("asks for more than its record")
        record = resolver.parent_parameter or resolver.root_parameter
        if record is None:
            raise Unsupported("does not ask for its record")
        node = fields[0].node
        if any(isinstance(argument.value, VariableNode) for argument in node.arguments or ()):
            raise Unsupported("arguments come with the request")
        arguments = self._arguments(definition, get_argument_values(field, node, _NO_VARIABLES))
        function = cast("Callable[..., Any]", resolver.wrapped_func)
        if next(iter(resolver.signature.parameters)) != record.name:
            raise Unsupported("does not ask for its record first")
        return partial(function, **arguments) if arguments else function

    def _arguments(self, definition: StrawberryField, given: dict[str, Any]) -> dict[str, Any]:
        strawberry_schema = self._schema._strawberry_schema  # type: ignore[attr-defined] # noqa: SLF001 -- its only link
        converter = strawberry_schema.schema_converter
        return convert_arguments(
            given,
            definition.arguments,
            scalar_registry=converter.scalar_registry,
            config=converter.config,
        )

    def _completed(self, value: str, of: GraphQLOutputType, fields: FieldDetailsList) -> list[str]:
        """Lines that turn what was read into what is answered."""
        if isinstance(of, GraphQLNonNull):
            return [
                f"    if {value} is None: raise unfit",
                f"    {value} = {self._written(value, of.of_type, fields)}",
            ]
        return [f"    if {value} is not None: {value} = {self._written(value, of, fields)}"]

    def _written(self, value: str, of: GraphQLOutputType, fields: FieldDetailsList) -> str:
        if is_leaf_type(of):
            is_ready = _AS_THEY_ARE.get(of.name)
            written = f"{self._name(_leaf(of))}({value})"
            return f"({value} if {is_ready.format(value)} else {written})" if is_ready else written
        if isinstance(of, GraphQLObjectType):
            return f"{self._name(generated(self._schema, of, fields, self._selected))}({value})"
        if isinstance(of, GraphQLUnionType):
            return f"{self._name(self._members(of, fields))}[type({value})]({value})"
        item = of.of_type if isinstance(of, GraphQLList) else None
        if isinstance(item, GraphQLNonNull) and not isinstance(item.of_type, GraphQLList):
            # A list without nulls: None fits no leaf and no object.
            return f"[{self._written('item', item.of_type, fields)} for item in {value}]"
        raise Unsupported(str(of))

    def _members(self, of: GraphQLUnionType, fields: FieldDetailsList) -> dict[type, Serialiser]:
        """By the classes that Strawberry made the members of; a value of another class is no key."""
        return {
            member.extensions[_BACK_REFERENCE].origin: generated(self._schema, member, fields, self._selected)
            for member in of.types
        }

    def _name(self, bound: object) -> str:
        name = f"b{len(self._names)}"
        self._names[name] = bound
        return name


def _leaf(of: GraphQLLeafType) -> Callable[[Any], Any]:
    """How a type writes a value; the members of an enum are known beforehand."""
    members = getattr(of, "wrapped_cls", None)
    if members is not None:
        return {member: of.coerce_output_value(member) for member in members}.__getitem__
    return partial(_checked, of)


def _checked(of: GraphQLLeafType, value: Any) -> Any:
    written = of.coerce_output_value(value)
    if written is None or written is Undefined:
        raise Unfit
    return written
