"""Patterns of the operator's own, from the settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import re2

from datastorage.errors import SettingsError
from datastorage.redaction.builtin import BUILTIN_NAMES
from datastorage.redaction.pattern import Pattern

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_SINGLE_BYTE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\C")


def custom_patterns(expressions: Mapping[str, str], options: re2.Options) -> tuple[Pattern, ...]:
    """One pattern per name. Errors: SettingsError with every fault of every pattern."""
    faults = [
        f"redaction pattern {name!r}: {fault}"
        for name, expression in expressions.items()
        if (fault := _fault(name, expression, options)) is not None
    ]
    if faults:
        raise SettingsError("; ".join(faults))
    return tuple(Pattern(name, (expression,)) for name, expression in expressions.items())


def _fault(name: str, expression: str, options: re2.Options) -> str | None:
    if not _NAME.fullmatch(name):
        return "a name is a lower-case letter, then up to 39 of a-z, 0-9, _ and -"
    if name in BUILTIN_NAMES:
        return "this name belongs to a built-in pattern"
    return _fault_of_expression(expression, options)


def _fault_of_expression(expression: str, options: re2.Options) -> str | None:
    try:
        compiled = re2.compile(expression, options)
    except re2.error as error:
        return f"no RE2 expression: {error.args[0].decode()}"  # RE2 explains itself in bytes
    except UnicodeEncodeError:
        return "it holds half a surrogate pair, which no text can hold"
    if _SINGLE_BYTE.search(expression):
        return "\\C matches a part of a character, which no text can hold"
    if compiled.search(b"") is not None:
        return "it matches the empty text, so it would match everywhere"
    return None
