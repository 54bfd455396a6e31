"""Text as terms: identifiers whole and in their parts, so that a code is found exactly and a word within it too.

`payments/ImagePullBackOff` gives the whole of it, `payments`, `imagepullbackoff`, `image`, `pull`, `back` and
`off`. Unlike the embedded text nothing is masked: exact ids and codes are what people search by.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Final
from zlib import crc32

from datastorage.limits import TERM_CHARS_MAX, WORDS_REMEMBERED_MAX

REMEMBERED_CHARS_MAX: Final = 64  # longer words seldom come twice
TERM_BITS: Final = 28  # two fields of them still fit into a sparsevec, whose dimension ends at 10^9

_COMPOUND: Final = re.compile(r"[^\W_]+(?:[-._:/@$#]+[^\W_]+)*")
_RUN: Final = re.compile(r"[^\W_]+")
# A hump starts where lower case or a digit meets upper case, or before the last of several capitals.
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def terms(text: str) -> Iterator[str]:
    """Every term of a text in its order, as often as it occurs, in lower case."""
    return chain.from_iterable(map(_of_compound, _compounds(text)))


def term_numbers(text: str) -> Iterator[int]:
    """The numbers of these terms."""
    return chain.from_iterable(map(_numbers_of_compound, _compounds(text)))


def words(text: str) -> set[str]:
    """The smallest parts of a question: what a text must have to contain all its words."""
    found: set[str] = set()
    for run in _RUN.findall(unicodedata.normalize("NFKC", text)):
        found.update(map(_folded, _HUMP.split(run)))
    return found


def term_number(term: str) -> int:
    """A term as a number below 2^28, the same in every process; two terms in a hundred million share one."""
    return crc32(term.encode(errors="replace")) & ((1 << TERM_BITS) - 1)


def _compounds(text: str) -> list[str]:
    return _COMPOUND.findall(unicodedata.normalize("NFKC", text))


def _of_compound(compound: str) -> Iterator[str]:
    runs = _RUN.findall(compound)
    if len(runs) > 1:
        yield _folded(compound)
    for run in runs:
        yield _folded(run)
        humps = _HUMP.split(run)
        if len(humps) > 1:
            yield from map(_folded, humps)


def _numbers_of_compound(compound: str) -> tuple[int, ...]:
    return _numbers(compound) if len(compound) <= REMEMBERED_CHARS_MAX else _numbers.__wrapped__(compound)


@lru_cache(WORDS_REMEMBERED_MAX)
def _numbers(compound: str) -> tuple[int, ...]:
    """Remembered, since incidents are told in the same words."""
    return tuple(map(term_number, _of_compound(compound)))


def _folded(term: str) -> str:
    return term.casefold()[:TERM_CHARS_MAX]
