"""Every place of the schema where a client can put a value: root fields, their arguments, and what lies in these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from support.attacks.witness import Case, operation

FILTERS_WITHIN = 3  # input types within input types
PLAIN: dict[str, Any] = {
    "String": "Deployment/payment-api",
    "ID": "UmVtZWRpYXRpb25BdWRpdDox",
    "Int": 1,
    "BigInt": 1,
    "Float": 0.5,
    "Boolean": True,
    "DateTime": "2026-01-01T00:00:00Z",
    "JSON": 1,
    "JSONObject": {},
}


@dataclass(frozen=True)
class Place:
    """One leaf: which operation, which argument, and the way to it from there."""

    kind: str  # query or mutation
    field: str
    argument: str
    way: tuple[str | int, ...]
    type_name: str
    document: str
    plain: dict[str, Any]  # variables that are good, but for the place

    def with_value(self, value: Any) -> Case:
        """The operation with this value there."""
        variables = {**self.plain, self.argument: _put(self.plain.get(self.argument), self.way, value)}
        label = ".".join(str(step) for step in (self.field, self.argument, *self.way))
        return operation(f"{label} = {value!r:.80}", self.document, **variables)


def places(schema: GraphQLSchema) -> Iterator[Place]:
    """All of them."""
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        assert root is not None
        for name, field in root.fields.items():
            yield from _of_field(kind, name, field)


def _of_field(kind: str, name: str, field: GraphQLField) -> Iterator[Place]:
    document = _document(kind, name, field)
    plain = {
        argument: _plain(given.type) for argument, given in field.args.items() if is_required_argument(given)
    }
    for argument, given in field.args.items():
        for way, leaf in _leaves(given.type, FILTERS_WITHIN):
            yield Place(kind, name, argument, way, leaf, document, plain)


def _leaves(of: GraphQLInputType, within: int) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The ways to scalars and enums within a type."""
    if isinstance(of, GraphQLNonNull):
        yield from _leaves(of.of_type, within)
    elif isinstance(of, GraphQLList):
        yield from (((0, *way), leaf) for way, leaf in _leaves(of.of_type, within))
    elif isinstance(of, GraphQLInputObjectType):
        if within:
            for name, field in of.fields.items():
                yield from (((name, *way), leaf) for way, leaf in _leaves(field.type, within - 1))
    else:
        yield (), of.name


def _plain(of: GraphQLInputType) -> Any:
    """A value that is good: nothing beyond what is required."""
    if isinstance(of, GraphQLNonNull):
        return _plain(of.of_type)
    if isinstance(of, GraphQLList):
        return [_plain(of.of_type)]
    if isinstance(of, GraphQLInputObjectType):
        return {
            name: _plain(field.type) for name, field in of.fields.items() if is_required_input_field(field)
        }
    if isinstance(of, GraphQLEnumType):
        return next(iter(of.values))
    return PLAIN[of.name]


def _put(into: Any, way: tuple[str | int, ...], value: Any) -> Any:
    """A copy with the value at the end of the way."""
    if not way:
        return value
    step, *rest = way
    if isinstance(step, int):
        return [_put(into[0] if into else None, tuple(rest), value)]
    return {**(into or {}), step: _put((into or {}).get(step), tuple(rest), value)}


def _document(kind: str, name: str, field: GraphQLField) -> str:
    variables = ", ".join(f"${argument}: {_unfilled(given)}" for argument, given in field.args.items())
    given = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    head = f"{kind} ({variables})" if variables else kind
    return f"{head} {{ {name}{f'({given})' if given else ''} {_selection(get_named_type(field.type), 3)} }}"


def _unfilled(given: GraphQLArgument) -> str:
    """The argument's type; a variable without a value leaves the argument to its default."""
    return str(given.type)


def _selection(of: Any, depth: int) -> str:
    """All that can be had without arguments, some levels deep."""
    if isinstance(of, GraphQLUnionType):
        members = " ".join(f"... on {member} {_selection(member, depth - 1)}" for member in of.types)
        return f"{{ __typename {members} }}"
    if not isinstance(of, GraphQLObjectType):
        return "{ __typename }" if not is_leaf_type(of) else ""
    chosen = []
    for name, field in of.fields.items():
        wanted = get_named_type(field.type)
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(wanted):
            chosen.append(name)
        elif depth > 1 and name in ("nodes", "edges", "node", "pageInfo", "receipt", "faults", "hits", "incident",
                                    "remediationAudit", "actions", "groups", "points", "series", "redactions"):  # fmt: skip
            chosen.append(f"{name} {_selection(wanted, depth - 1)}")
    return f"{{ __typename {' '.join(chosen)} }}"
