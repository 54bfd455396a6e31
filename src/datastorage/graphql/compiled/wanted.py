"""Which attributes of records a field's answer is written from: only their columns need to be read.

Everything follows from the type definitions: a plain field reads the attribute it is named after, a resolver what its
source says it reads of its record, and a field that hands its record on declares it (`reads` of `graphql.view`).
What cannot be told counts as everything.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from graphql import GraphQLObjectType, get_named_type
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList
from strawberry.types.field import StrawberryField

from datastorage.domain.event import EVENT
from datastorage.domain.kind import Wanted
from datastorage.domain.kinds import KINDS
from datastorage.graphql.view import READS

Selected = Callable[[GraphQLObjectType, FieldDetailsList], CollectedFields]

_ATTRIBUTES: Final = {kind.type_name: frozenset(kind.record.__dataclass_fields__) for kind in (*KINDS, EVENT)}


class _Everything(Exception):
    """Nothing can be left out."""


def wanted(of: Any, by: FieldDetailsList, selected: Selected) -> Wanted:
    """What is read of the records that a field of type `of` leads to; None: whatever they have."""
    try:
        return frozenset(_read(get_named_type(of), by, selected))
    except _Everything:
        return None


def _read(of: Any, by: FieldDetailsList, selected: Selected) -> Iterator[str]:
    if not isinstance(of, GraphQLObjectType):
        raise _Everything
    attributes = _ATTRIBUTES.get(of.name)
    for fields in selected(of, by).grouped_field_set.values():
        name = fields[0].node.name.value
        if name == "__typename":
            continue
        field = of.fields.get(name)
        definition = field.extensions.get("strawberry-definition") if field else None
        if field is None or not isinstance(definition, StrawberryField):
            raise _Everything
        if attributes is not None:
            read = _read_by(definition)
            if read is None or (definition.base_resolver is None and not read <= attributes):
                raise _Everything
            yield from read
        elif definition.base_resolver is None and isinstance(get_named_type(field.type), GraphQLObjectType):
            yield from _read(get_named_type(field.type), fields, selected)  # a page leads on to its records


def _read_by(definition: StrawberryField) -> Wanted:
    declared: Wanted = definition.metadata.get(READS)
    resolver = definition.base_resolver
    if declared is not None or resolver is None:
        return declared if declared is not None else frozenset({definition.python_name})
    record = resolver.parent_parameter or resolver.root_parameter
    return None if record is None else _attributes(resolver.wrapped_func, record.name)


@cache
def _attributes(function: Callable[..., Any], parameter: str) -> Wanted:
    """The attributes that a function reads of a parameter; None if it does anything else with it."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    reads = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == parameter
    ]
    mentions = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == parameter]
    return frozenset(node.attr for node in reads) if len(reads) == len(mentions) else None
