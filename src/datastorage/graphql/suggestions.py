"""graphql-core's guesses at what a client meant, which tell names of the schema. Left out where it is hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from graphql import GraphQLError

_NAMES: Final = r"'\w+'(?:,? or '\w+'|, '\w+')*"
_SUGGESTION: Final = re.compile(
    rf" Did you mean (?:the enum value |to use an inline fragment on )?{_NAMES}\?", re.ASCII
)


def without_suggestions(errors: Iterable[GraphQLError]) -> list[GraphQLError]:
    """The same errors, saying less."""
    known = list(errors)
    for error in known:
        error.message = _SUGGESTION.sub("", error.message)
    return known
