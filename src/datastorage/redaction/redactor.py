"""Replaces secrets in texts and in JSON. Built once from the settings; called before storage, embedding and logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import re2

from datastorage.limits import REDACTION_PASSES_MAX
from datastorage.redaction.builtin import BUILTIN_PATTERNS
from datastorage.redaction.custom import custom_patterns
from datastorage.redaction.findings import Finding, findings
from datastorage.redaction.json_members import announces_nothing
from datastorage.redaction.json_walk import JsonValue, JsonWalk, strings_of
from datastorage.redaction.markers import Found, Markers, marker
from datastorage.redaction.pattern import Expression

_NO_CUSTOM: Final[Mapping[str, str]] = MappingProxyType({})


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr beside our own message
    return options


def _encoded(value: str) -> bytes:
    # Lone surrogates are let through as they came: cleaning is another function's task.
    return value.encode("utf-8", "surrogatepass")


class Redactor:
    """Hides what looks like a secret; a redacted text has nothing more to hide.

    Why: all patterns share one scan for the literals that they need (RE2's filter), so a clean text
    costs one pass, and only patterns whose literals occur are run. Every pass is linear in the text.
    """

    def __init__(self, custom: Mapping[str, str] = _NO_CUSTOM) -> None:
        options = _options()
        patterns = (*custom_patterns(custom, options), *BUILTIN_PATTERNS)
        self._names = [pattern.name for pattern in patterns]
        self._markers = Markers(set(self._names))
        self._filter = re2.Filter()
        sources = [(rank, pattern) for rank, pattern in enumerate(patterns) for _ in pattern.expressions]
        for pattern in patterns:
            for expression in pattern.expressions:
                self._filter.Add(expression, options)
        self._filter.Compile()
        self._expressions = [
            Expression(self._filter.re(index), rank, pattern.refine)
            for index, (rank, pattern) in enumerate(sources)
        ]

    def text(self, value: str) -> tuple[str, tuple[Finding, ...]]:
        """The text with a marker in place of each secret, and what was replaced."""
        encoded = _encoded(value)
        secrets = self._secrets(encoded)
        if not secrets:
            return value, ()
        counts: Counter[str] = Counter()
        for _ in range(REDACTION_PASSES_MAX):
            encoded = self._masked(encoded, secrets, counts)
            if not (secrets := self._secrets(encoded)):
                return encoded.decode("utf-8", "surrogatepass"), findings(counts)
        # A pattern that finds more after every pass cannot be trusted with the rest.
        name = self._names[secrets[0].rank]
        counts[name] += 1
        return marker(name), findings(counts)

    def json(self, value: JsonValue) -> tuple[JsonValue, tuple[Finding, ...]]:
        """The value with secrets hidden in its strings, in its keys, and below keys that announce one.

        A copy, unless nothing in it needs a closer look.
        """
        lines = _encoded("\n".join(strings_of(value)))
        if announces_nothing(lines) and not self._filter.Match(lines, potential=True):
            return value, ()
        return JsonWalk(self.text, self._markers.is_marker).redacted(value)

    def _secrets(self, text: bytes) -> list[Found]:
        found = [
            Found(start, end, expression.rank)
            for index in self._filter.Match(text, potential=True) or ()
            for expression in (self._expressions[index],)
            for start, end in expression.spans(text)
        ]
        return self._markers.disclosed(text, found) if found else []

    def _masked(self, text: bytes, secrets: list[Found], counts: Counter[str]) -> bytes:
        pieces: list[bytes] = []
        position = 0
        for secret in secrets:
            name = self._names[secret.rank]
            counts[name] += 1
            pieces += (text[position : secret.start], marker(name).encode())
            position = secret.end
        pieces.append(text[position:])
        return b"".join(pieces)
