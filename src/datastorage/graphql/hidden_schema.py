"""Errors where the schema is hidden: what graphql-core says of a document tells names and types of the schema.

It suggests names, says which selections and arguments are missing, and what a right name is of. Somebody who guesses
would learn from each answer; who has the schema finds the same faults before sending anything. What is wrong with
variables is told as ever, but for suggestions: nobody gets that far without the name of an input type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from graphql import GraphQLError, GraphQLSyntaxError

UNFIT: Final = "The document does not fit the schema, which is hidden here."
_INVALID: Final = "BAD_USER_INPUT"
# Of the document alone, or of the operation that is to be chosen in it.
_TELLS_NOTHING: Final = re.compile(
    r"GraphQL introspection has been disabled|Must provide |Unknown operation named |Unknown fragment "
    r"|Variable '\$"
)
_NAMES: Final = r"'\w+'(?:,? or '\w+'|, '\w+')*"
_SUGGESTION: Final = re.compile(
    rf" Did you mean (?:the enum value |to use an inline fragment on )?{_NAMES}\?", re.ASCII
)


def without_the_schema(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """The same errors, saying less. Those that resolvers meet have a path, and limits a code of their own."""
    known = list(errors)
    for error in known:
        code = (error.extensions or {}).get("code", _INVALID)
        if error.path is None and code == _INVALID and not isinstance(error, GraphQLSyntaxError):
            told = _TELLS_NOTHING.match(error.message)
            error.message = _SUGGESTION.sub("", error.message) if told else UNFIT
    return known
