"""Documents that hypothesis-graphql generates from the schema, in the shapes that clients give them.

The generator knows the schema and nothing of the data: it writes every value into the document, under names that no
record has. Here some values become known ones, some are sent as variables, and selections are put behind aliases,
conditions and fragments.
"""

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

import orjson
from graphql import (
    REMOVE,
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse_type,
    print_ast,
    value_from_ast_untyped,
    visit,
)
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

SCALARS = {
    "DateTime": st.datetimes().map(lambda moment: nodes.String(f"{moment.isoformat()}Z")),
    "BigInt": st.integers(1 - 2**63, 2**63 - 1).map(nodes.Int),
    "JSON": st.sampled_from([nodes.String("a"), nodes.Int(1)]),
    "JSONObject": st.just(nodes.Object([])),
}
PAGE_SIZES = ("first", "last")
ONE_OF_TWO = ("id", "after", "before")  # beside another argument each is refused
OFTEN, SOMETIMES, SELDOM = 0.6, 0.2, 0.1


class Asked(NamedTuple):
    """A request."""

    query: str
    variables: dict[str, Any]


class Known(NamedTuple):
    """What there is: values of arguments by their names, and whole inputs of mutations by the names of their types."""

    arguments: Mapping[str, list[Any]] = {}
    inputs: Mapping[str, dict[str, Any]] = {}
    keys: Mapping[str, list[str]] = {}


def asked_queries(schema: GraphQLSchema, known: Known) -> st.SearchStrategy[Asked]:
    """Queries over all root fields."""
    generated = queries(schema, custom_scalars=SCALARS, allow_x00=False, print_ast=_unprinted)
    return _shaped(schema, known, generated)


def asked_mutations(schema: GraphQLSchema, known: Known) -> st.SearchStrategy[Asked]:
    """Mutations over all root fields."""
    generated = mutations(schema, custom_scalars=SCALARS, allow_x00=False, print_ast=_unprinted)
    return _shaped(schema, known, generated)


def told(asked: Asked, answer: bytes, expected: object) -> str:
    """All that is needed to ask again."""
    variables = orjson.dumps(asked.variables).decode()
    return f"{asked.query}\n{variables}\nanswered: {answer!r}\nexpected: {expected!r}"


def _unprinted(document: DocumentNode) -> DocumentNode:
    return document


def _shaped(
    schema: GraphQLSchema, known: Known, documents: st.SearchStrategy[DocumentNode]
) -> st.SearchStrategy[Asked]:
    seeds = st.integers(0, 2**32)
    return st.builds(lambda document, seed: shaped(schema, known, document, Random(seed)), documents, seeds)


def shaped(schema: GraphQLSchema, known: Known, document: DocumentNode, random: Random) -> Asked:
    """The document as a client might have written it."""
    info = TypeInfo(schema)
    shape = _Shape(info, known, random)
    document = visit(document, TypeInfoVisitor(info, shape))
    definitions = [_with(node, shape.definitions) for node in document.definitions]
    return Asked(print_ast(DocumentNode(definitions=(*definitions, *shape.fragments))), shape.variables)


def _with(node: Any, variables: list[VariableDefinitionNode]) -> Any:
    if not isinstance(node, OperationDefinitionNode):
        return node
    return OperationDefinitionNode(
        operation=node.operation,
        name=NameNode(value="Generated"),
        variable_definitions=tuple(variables),
        selection_set=node.selection_set,
    )


class _Shape(Visitor):
    """Changes one document, and keeps what belongs beside it."""

    def __init__(self, info: TypeInfo, known: Known, random: Random) -> None:
        super().__init__()
        self._info, self._known, self._random = info, known, random
        self.definitions: list[VariableDefinitionNode] = []
        self.variables: dict[str, Any] = {}
        self.fragments: list[FragmentDefinitionNode] = []
        self._aliases = 0

    # --- values

    def enter_argument(self, node: ArgumentNode, *_: object) -> Any:
        argument = self._info.get_argument()
        if argument is None:
            return None
        required = isinstance(argument.type, GraphQLNonNull)
        named = node.name.value in self._known.arguments and node.name.value not in ONE_OF_TWO
        if not required and not named and self._chance(OFTEN):
            return REMOVE  # together, most of what is generated finds nothing, or is refused
        value = self._value(node, str(argument.type).strip("[]!"))
        if value is _AS_WRITTEN:
            if not self._chance(OFTEN) or not _is_json(sent := value_from_ast_untyped(node.value)):
                return None
            value = sent
        if not required and self._chance(SELDOM):
            value = self._random.choice((None, _LEFT_OUT))
        return ArgumentNode(name=node.name, value=self._variable(str(argument.type), value))

    def _value(self, node: ArgumentNode, type_name: str) -> Any:
        name, known = node.name.value, self._known
        if name in PAGE_SIZES and self._chance(OFTEN):
            return self._random.randint(1, 4) if self._chance(OFTEN) else None
        if name in known.arguments and self._chance(OFTEN):
            return self._random.choice(known.arguments[name])
        if type_name in known.inputs and self._chance(OFTEN):
            written = value_from_ast_untyped(node.value)
            if isinstance(written, list):
                return [self._input(type_name, each) for each in written or [{}]]
            return self._input(type_name, written)
        return _AS_WRITTEN

    def _input(self, type_name: str, written: Any) -> dict[str, Any]:
        """A valid input, with some of the generated fields that would make it another."""
        generated = written if isinstance(written, dict) and _is_json(written) else {}
        valid = self._known.inputs[type_name]
        optional = {
            name: value for name, value in generated.items() if name not in valid and self._chance(SOMETIMES)
        }
        keys = {
            name: self._random.choice(self._known.keys[name]) for name in valid if name in self._known.keys
        }
        return {**valid, **keys, **optional}

    def _variable(self, type_: str, value: Any) -> VariableNode:
        name = f"v{len(self.definitions)}"
        variable = VariableNode(name=NameNode(value=name))
        self.definitions.append(VariableDefinitionNode(variable=variable, type=parse_type(type_)))
        if value is not _LEFT_OUT:
            self.variables[name] = value
        return variable

    # --- selections

    def leave_field(self, node: FieldNode, *_: object) -> Any:
        alias, directives = node.alias, node.directives or ()
        if alias is None and self._chance(SELDOM):
            self._aliases += 1
            alias = NameNode(value=f"a{self._aliases}")
        if self._chance(SELDOM):
            directives = (*directives, self._condition())
        return FieldNode(
            alias=alias,
            name=node.name,
            arguments=node.arguments,
            directives=directives,
            selection_set=node.selection_set,
        )

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> Any:
        of = self._info.get_parent_type()
        if of is None or self._chance(1 - SOMETIMES):
            return None
        on = NamedTypeNode(name=NameNode(value=of.name))
        directives = (self._condition(),) if self._chance(SOMETIMES) else ()
        if self._chance(0.5):
            inline = InlineFragmentNode(type_condition=on, directives=directives, selection_set=node)
            return SelectionSetNode(selections=(inline,))
        name = NameNode(value=f"F{len(self.fragments)}")
        self.fragments.append(
            FragmentDefinitionNode(name=name, type_condition=on, selection_set=node, directives=())
        )
        spread = FragmentSpreadNode(name=name, directives=directives)
        twice = self._chance(SOMETIMES)
        return SelectionSetNode(selections=(spread, spread) if twice else (spread,))

    def _condition(self) -> Any:
        name = self._random.choice(("skip", "include"))
        holds = self._chance(OFTEN) == (name == "include")
        value: ValueNode = BooleanValueNode(value=holds)
        if self._chance(OFTEN):
            value = self._variable("Boolean!", holds)
        condition = ArgumentNode(name=NameNode(value="if"), value=value)
        return DirectiveNode(name=NameNode(value=name), arguments=(condition,))

    def _chance(self, of: float) -> bool:
        return self._random.random() < of


def _is_json(value: Any) -> bool:
    """Whether a client could send it as it is: no number that is too large for JSON as we read it."""
    try:
        return bool(orjson.loads(orjson.dumps(value)) == value)
    except (TypeError, orjson.JSONEncodeError):
        return False


_AS_WRITTEN, _LEFT_OUT = object(), object()
