"""Writes generated/operations.py: the document of every root field, and how its answer is read."""

from __future__ import annotations

from collections.abc import Iterable

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type

from generator.api import SCALARS, Api, Root, constant, python_type
from generator.places import HEADER

_IMPORTS = '''
"""The documents of all operations, and what their answers are read as."""

from __future__ import annotations

from datastorage.client.generated.records import *
from datastorage.client.operation import BatchMutation, Count, Mutation, NodeQuery, Query
'''
_PAGING = ("first", "after", "last", "before")


def operations(api: Api) -> str:
    """The module."""
    records = ", ".join(api.fragments)
    fragments = [f"{_fragment(name)} = {api.text(name)!r}" for name in api.fragments]
    assigned = [line for root in api.roots for line in _assigned(api, root)]
    head = HEADER + _IMPORTS.replace("records import *", f"records import ({records})")
    return "\n".join([head, *fragments, "", *assigned, ""])


def _assigned(api: Api, root: Root) -> Iterable[str]:
    if root.interface:
        yield _node(api, root, root.interface)
    elif root.writes:
        yield _mutation(api, root)
    else:
        yield _query(api, root)
        if root.is_connection:
            count = _document(
                root, "totalCount(cap: $cap)", without=_PAGING, also=("$cap: Int",), name="Count"
            )
            yield f"{constant(root.name)}_COUNT = Count({root.name!r}, int, {count!r})"


def _query(api: Api, root: Root) -> str:
    kind = str(get_named_type(root.field.type))
    if is_leaf_type(get_named_type(root.field.type)) or kind in SCALARS:
        return _operation("Query", root, python_type(root.field.type), _document(root, None), [])
    # Pages are read forwards only; an order the other way round is an order.
    without = ("last", "before") if root.is_connection else ()
    document = _document(root, f"...{kind}", without=without)
    return _operation("Query", root, python_type(root.field.type), document, api.needed(kind))


def _mutation(api: Api, root: Root) -> str:
    payload, *errors = root.members
    selection = f"__typename ...{payload.name} ... on UserError {{ message code retryable }}"
    for error in errors:
        if own := _own_fields(error):
            selection += f" ... on {error.name} {{ {own} }}"
    kind = "BatchMutation" if root.is_batch else "Mutation"
    return _operation(kind, root, payload.name, _document(root, selection), api.needed(payload.name))


def _node(api: Api, root: Root, interface: GraphQLInterfaceType) -> str:
    # Under one alias the kinds would not merge: a name that is `String!` here is `String` there.
    kinds = api.kinds(interface)
    needed = sorted({name for kind in kinds for name in api.needed(kind)})
    aliased = " ".join(f"{kind}: {root.name}(id: $id) {{ __typename ...{kind} }}" for kind in kinds)
    document = f"query {_operation_name(root)}($id: ID!) {{ {aliased} }}"
    return _operation("NodeQuery", root, " | ".join([*kinds, "None"]), document, needed)


def _operation(kind: str, root: Root, result: str, document: str, fragments: Iterable[str]) -> str:
    parts = ", ".join([repr(document), *map(_fragment, fragments)])
    return f"{constant(root.name)} = {kind}[{result}]({root.name!r}, {result}, {parts})"


def _document(
    root: Root,
    selection: str | None,
    *,
    without: Iterable[str] = (),
    also: Iterable[str] = (),
    name: str = "",
) -> str:
    used = {key: given for key, given in root.field.args.items() if key not in without}
    declared = [*(f"${key}: {given.type}" for key, given in used.items()), *also]
    variables = f"({', '.join(declared)})" if declared else ""
    arguments = f"({', '.join(f'{key}: ${key}' for key in used)})" if used else ""
    fields = f" {{ {selection} }}" if selection else ""
    verb = "mutation" if root.writes else "query"
    return f"{verb} {_operation_name(root)}{name}{variables} {{ {root.name}{arguments}{fields} }}"


def _own_fields(error: GraphQLObjectType) -> str:
    shared = {name for interface in error.interfaces for name in interface.fields}
    selected = []
    for name, field in error.fields.items():
        kind = get_named_type(field.type)
        if name not in shared:
            inner = f" {{ {' '.join(kind.fields)} }}" if isinstance(kind, GraphQLObjectType) else ""
            selected.append(name + inner)
    return " ".join(selected)


def _operation_name(root: Root) -> str:
    return root.name[0].upper() + root.name[1:]


def _fragment(name: str) -> str:
    return f"_{constant(name)}"
