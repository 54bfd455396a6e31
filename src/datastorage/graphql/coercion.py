"""Faults that the GraphQL types find before any resolver runs: what graphql-core says, made fit for people.

graphql-core repeats the offending value in its messages; it may be the whole input, long and with secrets
in it, so only the part that says what is wrong is kept.
"""

from __future__ import annotations

import re
from typing import Final

from graphql import GraphQLError

from datastorage.errors import Fault, FaultReason

_PREFIX: Final = re.compile(r"Variable '\$\w+' has invalid value(?: at (?P<path>\.[\w.\[\]]+))?: ")
_ECHO: Final = re.compile(r"(?:,|;|\.) [Ff]ound: .*$|(?<=value): .*$", re.DOTALL)
_REQUIRED: Final = re.compile(r"to include required field '(\w+)'")
_UNKNOWN: Final = re.compile(r"not to include unknown field '([^']+)'")
_NO_MEMBER: Final = re.compile(r"Value '.*' does not exist in '(\w+)' enum", re.DOTALL)
_OWN_WORDS: Final = re.compile(r"but encountered error '(.*)'$", re.DOTALL)


def input_fault(error: GraphQLError) -> tuple[str, Fault | None]:
    """The message without the echo of the input, and the fault if it is one of an input field."""
    prefix = _PREFIX.match(error.message)
    said = error.message[prefix.end() :] if prefix else error.message
    said = _ECHO.sub("", said, count=1)
    message = (prefix[0] if prefix else "") + said
    path = (prefix["path"] if prefix else None) or ""
    if required := _REQUIRED.search(said):
        return message, Fault(required[1], FaultReason.REQUIRED, "is required")
    if unknown := _UNKNOWN.search(said):
        return message, Fault(unknown[1], FaultReason.INVALID, "is no field of this input")
    member = _NO_MEMBER.search(said)
    field = path.rpartition(".")[2].partition("[")[0] or (_uncapitalised(member[1]) if member else "")
    if not field:
        return message, None
    own_words = _OWN_WORDS.search(said)
    return message, Fault(field, FaultReason.INVALID, own_words[1] if own_words else said)


def _uncapitalised(name: str) -> str:
    return name[:1].lower() + name[1:]
