"""Text as terms: identifiers whole and in their parts, so that a code is found exactly and a word within it too.

`payments/ImagePullBackOff` gives the whole of it, `payments`, `imagepullbackoff`, `image`, `pull`, `back` and
`off`. Unlike the embedded text nothing is masked: exact ids and codes are what people search by.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from zlib import crc32

from datastorage.limits import TERM_CHARS_MAX

TERM_BITS: Final = 28  # two fields of them still fit into a sparsevec, whose dimension ends at 10^9

_COMPOUND: Final = re.compile(r"[^\W_]+(?:[-._:/@$#]+[^\W_]+)*")
_RUN: Final = re.compile(r"[^\W_]+")
# A hump starts where lower case or a digit meets upper case, or before the last of several capitals.
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def terms(text: str) -> Iterator[str]:
    """Every term of a text in its order, as often as it occurs, in lower case."""
    for compound in _COMPOUND.findall(unicodedata.normalize("NFKC", text)):
        runs = _RUN.findall(compound)
        if len(runs) > 1:
            yield _folded(compound)
        for run in runs:
            yield _folded(run)
            humps = _HUMP.split(run)
            if len(humps) > 1:
                yield from map(_folded, humps)


def words(text: str) -> set[str]:
    """The smallest parts of a question: what a text must have to contain all its words."""
    found: set[str] = set()
    for run in _RUN.findall(unicodedata.normalize("NFKC", text)):
        found.update(map(_folded, _HUMP.split(run)))
    return found


def term_number(term: str) -> int:
    """A term as a number below 2^28, the same in every process; two terms in a hundred million share one."""
    return crc32(term.encode(errors="replace")) & ((1 << TERM_BITS) - 1)


def _folded(term: str) -> str:
    return term.casefold()[:TERM_CHARS_MAX]
