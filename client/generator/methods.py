"""Writes aio/datastorage.py: a method for every root field."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from graphql import GraphQLObjectType, get_named_type

from generator.api import Api, Argument, Incomplete, Root, constant, python_type, snake
from generator.places import HEADER

_PAGING = ("first", "after", "last", "before")
_HEAD = '''
"""The API as methods, each named for its root field."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

from datastorage.client.aio.batches import outcomes
from datastorage.client.aio.connection import AsyncConnection
from datastorage.client.aio.listing import AsyncListing
from datastorage.client.errors import DataStorageError
from datastorage.client.generated import operations
from datastorage.client.generated import {names}
from datastorage.client.model import JSONObject


class AsyncDataStorage(AsyncConnection):
    """The remediation memory of one service. Every method may raise a DataStorageError.

    What fails in passing is tried again, writes too: they are safe to repeat.
    """
'''


def datastorage(api: Api, names: Iterable[str]) -> str:
    """The module; `names` are all generated types."""
    head = HEADER + _HEAD.replace("{names}", f"({', '.join(sorted(names))})")
    return "\n".join([head, *(textwrap.indent(_method(api, root), "    ") for root in api.roots)])


def _method(api: Api, root: Root) -> str:
    if root.is_batch:
        return _batch(root)
    if root.is_connection:
        return _listing(root)
    result = _result(api, root)
    called = f"operations.{constant(root.name)}, {_variables(root.arguments)}"
    return (
        f"async def {snake(root.name)}({_parameters(root.arguments)}) -> {result}:\n"
        f"{_documentation(root, root.arguments)}"
        f"    return await self.run({called})\n"
    )


def _listing(root: Root) -> str:
    arguments = [argument for argument in root.arguments if argument.name not in _PAGING]
    connection = get_named_type(root.field.type)
    if not isinstance(connection, GraphQLObjectType):
        raise Incomplete(f"{root.name} is no connection")
    node = get_named_type(connection.fields["nodes"].type)
    star = "" if any(not argument.is_required for argument in arguments) else "*, "
    operation = f"operations.{constant(root.name)}"
    return (
        f"def {snake(root.name)}({_parameters(arguments)}, {star}page_size: int = 100, after: str | None = None)"
        f" -> AsyncListing[{node}]:\n"
        f"{_documentation(root, arguments, 'Iterate over it; pages are fetched as needed, the first after the cursor `after`.')}"
        f"    return AsyncListing(self, {operation}, {operation}_COUNT, {_variables(arguments)},"
        f" page_size=page_size, after=after)\n"
    )


def _batch(root: Root) -> str:
    payload = root.members[0].name
    names = {argument.name for argument in root.arguments}
    if names != {"inputs", "atomic"}:
        raise Incomplete(f"{root.name} takes {names}, not inputs and atomic as other batches do")
    given = get_named_type(root.field.args["inputs"].type)
    told = (
        "Takes any number, sends some hundred at a time, and yields what became of each: a payload or an error.\n"
        "atomic: of those that are sent together all are stored, or none."
    )
    return (
        f"def {snake(root.name)}(self, inputs: Iterable[{given}], *, atomic: bool = False)"
        f" -> AsyncIterator[{payload} | DataStorageError]:\n"
        f"{_documentation(root, [], told)}"
        f"    return outcomes(self, operations.{constant(root.name)}, inputs, atomic=atomic)\n"
    )


def _result(api: Api, root: Root) -> str:
    if root.writes:
        return root.members[0].name
    if root.interface:
        return " | ".join([*api.kinds(root.interface), "None"])
    return python_type(root.field.type)


def _parameters(arguments: list[Argument]) -> str:
    required = [f"{given.python}: {given.annotation}" for given in arguments if given.is_required]
    optional = [f"{given.python}: {given.annotation} = None" for given in arguments if not given.is_required]
    return ", ".join(["self", *required, *(["*", *optional] if optional else [])])


def _variables(arguments: list[Argument]) -> str:
    return "{" + ", ".join(f'"{given.name}": {given.python}' for given in arguments) + "}"


def _documentation(root: Root, arguments: list[Argument], more: str = "") -> str:
    summary, _, rest = _in_python(root.field.description).partition(". ")
    described = [f"{given.python}: {_in_python(given.given.description)}" for given in arguments]
    paragraphs = [f"{summary.rstrip('.')}.", rest, more, "\n".join(described)]
    first, *others = [paragraph for paragraph in paragraphs if paragraph]
    wrapped = "\n\n".join([first, *map(_wrapped, others)])  # the first is one line, however long
    text = f'"""{wrapped}\n"""' if "\n" in wrapped else f'"""{wrapped}"""'
    return textwrap.indent(text, "    ", lambda line: bool(line.strip())) + "\n"


def _in_python(description: str | None) -> str:
    """A description of the schema in the words of this language; how pages are asked for is left out."""
    told = re.sub(r";? ?`first` or `last` [^.;]*", "", " ".join((description or "").split()))
    told = re.sub(r"`([a-z]+[A-Z]\w*)`", lambda found: f"`{snake(found[1])}`", told)
    return re.sub(r"\b[Nn]ull\b", "None", told)


def _wrapped(paragraph: str) -> str:
    return "\n".join(textwrap.fill(line, 98, break_long_words=False) for line in paragraph.splitlines())
