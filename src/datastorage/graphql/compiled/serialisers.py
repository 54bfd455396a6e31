"""Generated functions: a record of the domain → its part of an answer, in the order of the query.

What a field is comes from the schema alone: attributes are read, resolvers that need nothing but their record are
called, leaves are written as their types write them. A field whose resolver waits, or asks for the request, leaves a
gap: the function notes the record and what was written of it, so that all records of a level are asked about at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

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
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from datastorage.graphql.compiled.unsupported import Unfit, Unsupported

if TYPE_CHECKING:
    from datastorage.graphql.compiled.calls import Call

Waiting = list[list[tuple[Any, dict[str, Any]]]]
"""For each gap, the records that it is left in, and what was written of them so far."""
Serialiser = Callable[[Any, Waiting], Any]
Selected = Callable[[GraphQLObjectType, FieldDetailsList], CollectedFields]
Called = Callable[[GraphQLObjectType, FieldDetailsList], "Call"]

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


@dataclass(frozen=True, slots=True)
class Gap:
    """A member of an answer that is written later, by whoever asks its resolver."""

    key: str
    call: Call


@dataclass(frozen=True, slots=True)
class Answering:
    """How what a field answers with is written."""

    serialise: Serialiser
    gaps: Sequence[Gap]

    def nothing_waiting(self) -> Waiting:
        """Room for what the function notes."""
        return [[] for _ in self.gaps]


def answering(
    schema: GraphQLSchema, of: GraphQLOutputType, by: FieldDetailsList, selected: Selected, called: Called
) -> Answering | None:
    """A function for whatever a field of a type may answer with; None where none can be generated."""
    generator = _Generator(schema, selected, called, [])
    try:
        return generator.answer(of, by)
    except (Unsupported, GraphQLError):  # a condition without a value is met again, and told, in its place
        return None


class _Generator:
    """Writes the source of one function for one object type; the objects inside have functions of their own."""

    def __init__(self, schema: GraphQLSchema, selected: Selected, called: Called, gaps: list[Gap]) -> None:
        self._schema, self._selected, self._called, self._gaps = schema, selected, called, gaps
        self._names: dict[str, Any] = {"unfit": Unfit, "utc": UTC}

    def answer(self, of: GraphQLOutputType, by: FieldDetailsList) -> Answering:
        """A value of any type."""
        source = ["def serialise(value, waiting):", *self._completed("value", of, by), "    return value"]
        return Answering(self._made(source), self._gaps)

    def function(self, of: GraphQLObjectType, by: FieldDetailsList) -> Serialiser:
        """All that is selected of an object, which is checked to be of the type."""
        source = ["def serialise(record, waiting):"]
        if of.is_type_of is not None:
            source += [f"    if not {self._name(of.is_type_of)}(record, None): raise unfit"]
        members, gaps = [], []
        for key, fields in self._selected(of, by).grouped_field_set.items():
            try:
                value, needed = self._member(of, fields)
            except Unsupported:
                gaps.append(len(self._gaps))
                self._gaps.append(Gap(key, self._called(of, fields)))
                value, needed = "None", []
            source += needed
            members.append(f"{key!r}: {value}")
        source += [f"    made = {{{', '.join(members)}}}"]
        source += [f"    waiting[{gap}].append((record, made))" for gap in gaps]
        return self._made([*source, "    return made"])

    def _made(self, source: list[str]) -> Serialiser:
        exec("\n".join(source), self._names)  # noqa: S102 -- only names of the schema and of bound objects
        serialise: Serialiser = self._names["serialise"]
        return serialise

    def _inside(self, of: GraphQLObjectType, by: FieldDetailsList) -> Serialiser:
        return _Generator(self._schema, self._selected, self._called, self._gaps).function(of, by)

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
            return f"{self._name(self._inside(of, fields))}({value}, waiting)"
        if isinstance(of, GraphQLUnionType):
            return f"{self._name(self._members(of, fields))}[type({value})]({value}, waiting)"
        item = of.of_type if isinstance(of, GraphQLList) else None
        if isinstance(item, GraphQLNonNull) and not isinstance(item.of_type, GraphQLList):
            # A list without nulls: None fits no leaf and no object.
            return f"[{self._written('item', item.of_type, fields)} for item in {value}]"
        raise Unsupported(str(of))

    def _members(self, of: GraphQLUnionType, fields: FieldDetailsList) -> dict[type, Serialiser]:
        """By the classes that Strawberry made the members of; a value of another class is no key."""
        return {
            member.extensions[_BACK_REFERENCE].origin: self._inside(member, fields) for member in of.types
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
