"""An incident as the lexical search sees it: which terms it has, and what each is worth (BM25's document side).

Headline and body are weighed apart, in two halves of one vector, so that a question can ask for either.
The average lengths are fixed: a document's weights must not change because others arrive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Final

from datastorage.limits import LEXICAL_TERMS_MAX
from datastorage.search.terms import TERM_BITS, term_number, terms

DIMENSIONS: Final = 2 << TERM_BITS
HEADLINE_OFFSET: Final = 1 << TERM_BITS

K1: Final = 1.2  # how soon a repeated term stops counting
B: Final = 0.75  # how much a long text is held against it
HEADLINE_TERMS_AVERAGE: Final = 12
BODY_TERMS_AVERAGE: Final = 120


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """The numbers of its terms, and the weight of each dimension."""

    terms: tuple[int, ...]
    weights: dict[int, float]


def lexical_document(headline: str, body: str) -> LexicalDocument:
    """What an incident is found by word for word; of very long texts only the first terms."""
    title = _weights(headline, HEADLINE_TERMS_AVERAGE)
    account = _weights(body, BODY_TERMS_AVERAGE)
    return LexicalDocument(
        terms=tuple(sorted({*title, *account})),
        weights={**account, **{HEADLINE_OFFSET + number: weight for number, weight in title.items()}},
    )


def _weights(text: str, terms_average: int) -> dict[int, float]:
    counts = Counter(map(term_number, islice(terms(text), LEXICAL_TERMS_MAX)))
    damping = K1 * (1 - B + B * counts.total() / terms_average)
    return {number: count * (K1 + 1) / (count + damping) for number, count in counts.items()}
