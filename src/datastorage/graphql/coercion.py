"""Faults that the GraphQL types find before any resolver runs: what graphql-core says, made fit for people.

graphql-core repeats the offending value in its messages; it may be the whole input, long and with secrets
in it, so only the part that says what is wrong is kept.
"""

from __future__ import annotations

import re
from typing import Final

from graphql import GraphQLError

from datastorage.errors import Fault, FaultReason

_PREFIX: Final = re.compile(r"Variable '\$\w+' has invalid value(?: at (?P<path>[\w.\[\]]+))?: ")
_INDEX: Final = re.compile(r"\[\d+\]")
_ECHO: Final = re.compile(
    r"(?:[,;.]|(?<=\?)) [Ff]ound: .*$|(?<=value): .*$|(?<=^Value) '.*'(?= does not exist)", re.DOTALL
)
_NULL: Final = re.compile(r"Expected value of non-null type '[^']+' not to be None")
_REQUIRED: Final = re.compile(r"to include required field '(\w+)'")
_UNKNOWN: Final = re.compile(r"not to include unknown field '([^']+)'")
_NO_MEMBER: Final = re.compile(r"Value does not exist in '(\w+)' enum")
_OWN_WORDS: Final = re.compile(r"but encountered error '(.*)'$", re.DOTALL)


def input_fault(error: GraphQLError) -> tuple[str, Fault | None]:
    """The message without the echo of the input, and the fault if it is one of an input field.

    A field inside others is named with them, `durationMs.gt`; places in lists are left out.
    """
    prefix = _PREFIX.match(error.message)
    said = error.message[prefix.end() :] if prefix else error.message
    said = _ECHO.sub("", said, count=1)
    path = _INDEX.sub("", prefix["path"] or "").strip(".") if prefix else ""
    return (prefix[0] if prefix else "") + said, _fault(path, said)


def _fault(path: str, said: str) -> Fault | None:
    if required := _REQUIRED.search(said):
        return Fault(_below(path, required[1]), FaultReason.REQUIRED, "is required")
    if unknown := _UNKNOWN.search(said):
        return Fault(_below(path, unknown[1]), FaultReason.INVALID, "is no field of this input")
    member = _NO_MEMBER.search(said)
    field = path or (_uncapitalised(member[1]) if member else "")  # a literal's error does not tell its path
    if not field:
        return None
    if _NULL.search(said):
        return Fault(field, FaultReason.REQUIRED, "is required")
    own_words = _OWN_WORDS.search(said)
    return Fault(field, FaultReason.INVALID, own_words[1] if own_words else said)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _uncapitalised(name: str) -> str:
    return name[:1].lower() + name[1:]
