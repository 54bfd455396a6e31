"""What a kind of secret looks like. The tables build these; the redactor compiles and runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

Span: TypeAlias = tuple[int, int]  # byte offsets, end exclusive
Refine: TypeAlias = Callable[[bytes, Iterable[Span]], Iterator[Span]]

_QUOTES: Final = (b'"', b"'")
_REREAD_BYTES_MAX: Final = 64


class Match(Protocol):
    """The part of an RE2 match that is used here."""

    def span(self, group: int = 0) -> Span:
        """Where the group took part, (-1, -1) where it did not."""
        ...


class Regexp(Protocol):
    """The part of a compiled RE2 expression that is used here."""

    @property
    def groupindex(self) -> Mapping[str, int]:
        """Named groups by number."""
        ...

    def search(self, text: bytes, pos: int) -> Match | None:
        """The leftmost match at or after a byte offset."""
        ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """A named kind of secret.

    In an expression one of the groups named `secret…` is hidden, or the whole match where there are none.
    Alternatives with a group named `spare…` are matches, but no secrets: RE2 has no look-ahead.
    `refine` turns matches into the bytes to hide, where no expression can tell.
    """

    name: str
    expressions: tuple[str, ...]
    refine: Refine | None = None


class Expression:
    """One compiled expression of a pattern: finds the bytes to hide in one pass over a text."""

    __slots__ = ("_refine", "_regexp", "_secrets", "_spares", "rank")

    def __init__(self, regexp: Regexp, rank: int, refine: Refine | None = None) -> None:
        groups = regexp.groupindex
        self._regexp = regexp
        # Sorted, so that `secret_bare` and `secret_double`, the most frequent, are asked for first.
        self._secrets = [groups[name] for name in sorted(groups) if name.startswith("secret")]
        self._spares = [groups[name] for name in sorted(groups) if name.startswith("spare")]
        self._refine = refine
        self.rank = rank  # of its pattern: the lower, the more specific

    def spans(self, text: bytes) -> Iterator[Span]:
        """What to hide, in order of position."""
        matches = self._matches(text)
        return matches if self._refine is None else self._refine(text, matches)

    def _matches(self, text: bytes) -> Iterator[Span]:
        position = 0
        while position <= len(text) and (match := self._regexp.search(text, position)) is not None:
            matched = match.span()
            secret = self._secret(match, matched)
            if secret is not None and secret[0] < secret[1]:
                yield secret
                position = _after_secret(text, matched, secret)
            else:
                spare = self._first(match, self._spares) or matched
                position = max(_after_spare(matched, spare), position + 1)

    def _secret(self, match: Match, matched: Span) -> Span | None:
        if self._secrets:
            return self._first(match, self._secrets)
        return matched if self._first(match, self._spares) is None else None

    @staticmethod
    def _first(match: Match, groups: list[int]) -> Span | None:
        for group in groups:
            span = match.span(group)
            if span[0] >= 0:
                return span
        return None


def _after_secret(text: bytes, matched: Span, secret: Span) -> int:
    """Where to look on: not after the match, since the delimiter of one secret may open the next.

    In a torn text the quote that closes one value may open another, whose key is then inside this one.
    """
    start, end = secret
    return start if start > matched[0] and text[start - 1 : start] in _QUOTES else end


def _after_spare(matched: Span, spare: Span) -> int:
    """A word that is no secret may itself be a key; only short ones are read again, so the scan stays linear."""
    start, end = spare
    return start if start > matched[0] and end - start <= _REREAD_BYTES_MAX else end
