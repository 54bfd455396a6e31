"""How large an operation is, and how large its answer may become: known before anything is validated or run.

Called by the guard of `query_limits`. Strawberry's own limiters are rules among the others of validation, and one of
these takes time that grows with the square of a repeated field: whatever is too large must be refused before. Broken
documents pass: cycles and unknown names are left to validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from datastorage.limits import (
    BATCH_ROWS_MAX,
    FREE_TEXT_BYTES_MAX,
    METADATA_BYTES_MAX,
    PAGE_ROWS_DEFAULT,
    PAGE_ROWS_MAX,
    QUERY_FRAGMENTS_WITHIN_MAX,
    REQUEST_BODY_BYTES_MAX,
)

PAGE_SIZES: Final = ("first", "last")
ITEMS: Final = "inputs"
NODE: Final = "Node"
JSON_SCALARS: Final = {"JSON", "JSONObject"}
TEXT_FORMAT: Final = "format"  # the argument of free text
BATCH_ITEM_KIBIBYTES: Final = REQUEST_BODY_BYTES_MAX // BATCH_ROWS_MAX // 1024


class TooDeep(Exception):
    """Fragments spread each other too many levels deep for graphql-core to follow."""


@dataclass(frozen=True, slots=True)
class QuerySize:
    """Fragments count wherever they are spread; introspection has no depth and costs nothing."""

    depth: int = 0  # fields within fields
    fields: int = 0
    aliases: int = 0
    cost: int = 0  # lists and records that the answer may hold, page sizes multiplied along the path
    objects: int = 0  # written out in arguments
    kibibytes: int = 0  # of JSON and free text that the answer may hold

    def beside(self, other: QuerySize) -> QuerySize:
        """Both, one next to the other."""
        return QuerySize(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.cost + other.cost,
            self.objects + other.objects,
            self.kibibytes + other.kibibytes,
        )


@dataclass(slots=True)
class _Measurer:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[str, QuerySize] = field(default_factory=dict)
    within: int = 0  # fragments that are being measured

    def selections(self, chosen: SelectionSetNode | None, parent: GraphQLNamedType | None) -> QuerySize:
        size = QuerySize()
        for selection in chosen.selections if chosen else ():
            size = size.beside(self._selection(selection, parent))
        return size

    def _selection(self, selection: SelectionNode, parent: GraphQLNamedType | None) -> QuerySize:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent)
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value)
        condition = getattr(selection, "type_condition", None)
        within = self.schema.get_type(condition.name.value) if condition else parent
        return self.selections(getattr(selection, "selection_set", None), within)

    def _fragment(self, name: str) -> QuerySize:
        if name not in self.known and name in self.fragments:
            if self.within == QUERY_FRAGMENTS_WITHIN_MAX:
                raise TooDeep
            fragment = self.fragments[name]
            self.known[name] = QuerySize()  # as long as it is being measured: a cycle ends here
            parent = self.schema.get_type(fragment.type_condition.name.value)
            self.within += 1
            self.known[name] = self.selections(fragment.selection_set, parent)
            self.within -= 1
        return self.known.get(name, QuerySize())

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> QuerySize:
        definition = _definition(parent, node.name.value)
        inner = self.selections(node.selection_set, get_named_type(definition.type) if definition else None)
        fields, aliases = inner.fields + 1, inner.aliases + bool(node.alias)
        objects = inner.objects + sum(_objects(argument.value) for argument in node.arguments or ())
        if node.name.value.startswith("__"):
            return QuerySize(0, fields, aliases, 0, objects)
        times = self._times(node, definition)
        count = 1 if times is None else times
        is_root = parent in (self.schema.query_type, self.schema.mutation_type)
        own = is_root or times is not None or _is_record(definition)
        kibibytes = inner.kibibytes + _kibibytes(definition)
        if definition is not None and ITEMS in definition.args:  # most of what comes back was sent with it
            kibibytes = min(kibibytes, BATCH_ITEM_KIBIBYTES)
        return QuerySize(
            inner.depth + 1, fields, aliases, own + inner.cost * count, objects, kibibytes * count
        )

    def _times(self, node: FieldNode, definition: GraphQLField | None) -> int | None:
        """How many items a field may answer with; None where no argument says so."""
        if definition is None:
            return None
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        if ITEMS in definition.args:
            return self._number(given.get(ITEMS)) or 1
        pages = [name for name in PAGE_SIZES if name in definition.args]
        if not pages:
            return None
        asked = [number for name in pages if (number := self._number(given.get(name))) is not None]
        if not asked:
            default = definition.args[pages[0]].default_value
            asked = [default if isinstance(default, int) else PAGE_ROWS_DEFAULT]
        return min(max(*asked, 0), PAGE_ROWS_MAX)  # a larger page is refused anyway, in words of its own

    def _number(self, value: ValueNode | None) -> int | None:
        """A number, or how many items a list has."""
        match value:
            case VariableNode():
                given = self.variables.get(value.name.value)
                if isinstance(given, ValueNode):  # its default
                    return self._number(given)
                return len(given) if isinstance(given, list) else given if isinstance(given, int) else None
            case IntValueNode():
                return int(value.value)
            case ListValueNode():
                return len(value.values)
            case _:
                return None


def measured(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]
) -> QuerySize:
    """The size of the operation that is to run, with these variables. Errors: TooDeep."""
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    size = QuerySize()
    for operation in chosen(document, operation_name):
        measurer = _Measurer(schema, fragments, _with_defaults(operation, variables))
        root = schema.get_root_type(operation.operation)
        size = size.beside(measurer.selections(operation.selection_set, root))
        defaults = (each.default_value for each in operation.variable_definitions or ())
        size = size.beside(QuerySize(objects=sum(map(_objects, defaults))))
    return size


def chosen(document: DocumentNode, name: str | None) -> Iterator[OperationDefinitionNode]:
    """The operation of a name, or without one all that there are."""
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and (
            name is None or (node.name and node.name.value == name)
        ):
            yield node


def _with_defaults(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {
        definition.variable.name.value: definition.default_value
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return {**defaults, **variables}


def _objects(value: ValueNode | None) -> int:
    """How many are written out in a value."""
    match value:
        case ObjectValueNode():
            return 1 + sum(_objects(each.value) for each in value.fields)
        case ListValueNode():
            return sum(map(_objects, value.values))
        case _:
            return 0


def _definition(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    return parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None


def _kibibytes(definition: GraphQLField | None) -> int:
    """How large the value of a field may be, where it may be large."""
    named = get_named_type(definition.type) if definition else None
    if named is not None and named.name in JSON_SCALARS:
        return METADATA_BYTES_MAX // 1024
    return FREE_TEXT_BYTES_MAX // 1024 if definition and TEXT_FORMAT in definition.args else 0


def _is_record(definition: GraphQLField | None) -> bool:
    """Whether a field leads to something that has an id of its own."""
    named = get_named_type(definition.type) if definition else None
    if isinstance(named, GraphQLInterfaceType):
        return named.name == NODE
    return isinstance(named, GraphQLObjectType) and any(face.name == NODE for face in named.interfaces)
