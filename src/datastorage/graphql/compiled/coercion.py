"""Generated functions: what a client sent for a type → what graphql-core makes of it.

Only what is as it should be gets through; of everything else graphql-core says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    is_leaf_type,
    is_required_input_field,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value

from datastorage.graphql.compiled.unsupported import Unfit

Coercer = Callable[[Any], Any]

# When a leaf is taken as it is.
_AS_THEY_ARE: Final = {
    "String": "type({0}) is str",
    "ID": "type({0}) is str",
    "Boolean": "type({0}) is bool",
    "Int": "type({0}) is int and -0x80000000 <= {0} <= 0x7FFFFFFF",
}


class Coercers:
    """One function for each input object type that is asked for, and for those inside it."""

    def __init__(self) -> None:
        self._of: dict[str, Coercer] = {}

    def of(self, kind: GraphQLInputType) -> Coercer:
        """The function for a type. Errors of the function: any, for what graphql-core has to look at."""
        names: dict[str, Any] = {"unfit": Unfit}
        source = ["def coerce(value):", *self._coerced("value", kind, names), "    return value"]
        return _made(source, names)

    def _when_made(self, name: str) -> Coercer:
        """For types that hold themselves."""

        def coerce(sent: Any) -> Any:
            return self._of[name](sent)

        return coerce

    def _object(self, of: GraphQLInputObjectType) -> Coercer:
        if of.name not in self._of:
            self._of[of.name] = self._when_made(of.name)
            plain = not of.is_one_of and of.out_type is GraphQLInputObjectType.out_type
            self._of[of.name] = self._plain_object(of) if plain else _by_graphql_core(of)
        return self._of[of.name]

    def _plain_object(self, of: GraphQLInputObjectType) -> Coercer:
        names: dict[str, Any] = {"unfit": Unfit, "absent": Undefined}
        source = [
            "def coerce(sent):",
            "    if type(sent) is not dict: raise unfit",
            "    coerced, known = {}, 0",
        ]
        for name, field in of.fields.items():
            source += self._member(name, field, names)
        source += ["    if known != len(sent): raise unfit", "    return coerced"]
        return _made(source, names)

    def _member(self, name: str, field: GraphQLInputField, names: dict[str, Any]) -> list[str]:
        out_name = field.out_name or name
        lines = [
            f"    value = sent.get({name!r}, absent)",
            "    if value is not absent:",
            "        known += 1",
            *(f"    {line}" for line in self._coerced("value", field.type, names)),
            f"        coerced[{out_name!r}] = value",
        ]
        default = coerce_default_value(field)
        if is_required_input_field(field):
            lines += ["    else: raise unfit"]
        elif default is not Undefined:
            lines += [f"    else: coerced[{out_name!r}] = {_named(names, default)}"]
        return lines

    def _coerced(self, value: str, kind: GraphQLInputType, names: dict[str, Any]) -> list[str]:
        """Lines that turn what was sent into what is taken."""
        if isinstance(kind, GraphQLNonNull):
            return [f"    if {value} is None: raise unfit", *self._present(value, kind.of_type, names)]
        return [
            f"    if {value} is not None:",
            *(f"    {line}" for line in self._present(value, kind, names)),
        ]

    def _present(self, value: str, kind: Any, names: dict[str, Any]) -> list[str]:
        if isinstance(kind, GraphQLInputObjectType):
            return [f"    {value} = {_named(names, self._object(kind))}({value})"]
        if isinstance(kind, GraphQLList):
            item = _named(names, self.of(kind.of_type))
            return [
                f"    if type({value}) is not list: raise unfit",
                f"    {value} = [{item}(item) for item in {value}]",
            ]
        is_ready = _AS_THEY_ARE.get(kind.name)
        if is_ready is not None:
            return [f"    if not ({is_ready.format(value)}): raise unfit"]
        if isinstance(kind, GraphQLEnumType):
            members = {name: kind.coerce_input_value(name) for name in kind.values}
            return [f"    {value} = {_named(names, members)}[{value}]"]
        return [f"    {value} = {_named(names, _by_graphql_core(kind))}({value})"]


def _by_graphql_core(of: GraphQLLeafType | GraphQLInputObjectType) -> Coercer:
    def coerce(value: Any) -> Any:
        taken = of.coerce_input_value(value) if is_leaf_type(of) else coerce_input_value(value, of)
        if taken is Undefined:
            raise Unfit
        return taken

    return coerce


def _named(names: dict[str, Any], bound: object) -> str:
    name = f"b{len(names)}"
    names[name] = bound
    return name


def _made(source: list[str], names: dict[str, Any]) -> Coercer:
    exec("\n".join(source), names)  # noqa: S102 -- only names of the schema and of bound objects
    coerce: Coercer = names["coerce"]
    return coerce
