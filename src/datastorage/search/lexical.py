"""The lexical side of an incident and of a question: which terms they have, and what each is worth (BM25).

An incident has two fields in one vector: all of its text, in which the headline counts three times, and the
headline by itself. The average lengths are fixed: a document's weights must not change because others arrive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from datastorage.limits import LEXICAL_TERMS_MAX
from datastorage.search.signatures import signatures
from datastorage.search.terms import TERM_BITS, term_number, term_numbers, terms

DIMENSIONS: Final = 2 << TERM_BITS
HEADLINE_OFFSET: Final = 1 << TERM_BITS
HEADLINE_TIMES: Final = 3  # a word of the headline says as much as three of the account


@dataclass(frozen=True, slots=True)
class Field:
    """How terms count in one field."""

    k1: float  # how soon a repeated term stops counting
    b: float  # how much a long text is held against it
    terms_average: int

    def weights(self, counts: Counter[int]) -> dict[int, float]:
        """The weight of each term, by its number."""
        damping = self.k1 * (1 - self.b + self.b * counts.total() / self.terms_average)
        of_count = {count: count * (self.k1 + 1) / (count + damping) for count in set(counts.values())}
        return {number: of_count[count] for number, count in counts.items()}


WHOLE: Final = Field(k1=2.0, b=0.9, terms_average=180)
HEADLINE: Final = Field(k1=1.2, b=0.5, terms_average=12)
QUESTION_K: Final = 2.0  # how soon a repeated term of the question stops counting


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """The numbers of its terms and signatures, and the weight of each dimension."""

    terms: tuple[int, ...]
    weights: dict[int, float]


def lexical_document(headline: str, body: str) -> LexicalDocument:
    """What an incident is found by word for word; of very long texts only the first terms."""
    title = _counts(headline)
    whole = _whole(title, body)
    weights = WHOLE.weights(whole)
    weights |= against_headline(HEADLINE.weights(title))
    signed = map(term_number, signatures(f"{headline}\n{body}"))
    return LexicalDocument(terms=tuple(sorted({*whole, *signed})), weights=weights)


@dataclass(frozen=True)
class LexicalQuestion:
    """A question as terms: of its headline, and of the whole of it."""

    headline: str
    body: str

    @cached_property
    def title(self) -> dict[int, float]:
        """Saturated counts of the headline's terms."""
        return _saturated(_counts(self.headline))

    @cached_property
    def whole(self) -> dict[int, float]:
        """Saturated counts of all terms, those of the headline thrice."""
        return _saturated(_whole(_counts(self.headline), self.body))

    @cached_property
    def signatures(self) -> list[int]:
        """The numbers of its error signatures."""
        return sorted(set(map(term_number, signatures(f"{self.headline}\n{self.body}"))))

    @cached_property
    def words(self) -> dict[int, str]:
        """The terms behind the numbers, to tell which matched."""
        found = islice(terms(f"{self.headline}\n{self.body}"), 2 * LEXICAL_TERMS_MAX)
        return {term_number(term): term for term in found}


def against_headline(weights: dict[int, float]) -> dict[int, float]:
    """A question's terms, to be looked for in headlines only."""
    return {HEADLINE_OFFSET + number: weight for number, weight in weights.items()}


def _counts(text: str) -> Counter[int]:
    return Counter(islice(term_numbers(text), LEXICAL_TERMS_MAX))


def _whole(title: Counter[int], body: str) -> Counter[int]:
    whole = Counter({number: HEADLINE_TIMES * count for number, count in title.items()})
    room = LEXICAL_TERMS_MAX - len(whole)
    whole.update(islice(term_numbers(body), max(0, room)))
    return whole


def _saturated(counts: Counter[int]) -> dict[int, float]:
    return {number: (QUESTION_K + 1) * count / (QUESTION_K + count) for number, count in counts.items()}
