"""A question for similar incidents, and what is made of its text before anything is searched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from datastorage.domain.enums import SearchMode
from datastorage.domain.filters import EVERYTHING, AllOf, Condition, Filter, Operator, check_bounds
from datastorage.embedding import Vector
from datastorage.errors import InvalidInput
from datastorage.limits import SEARCH_TEXT_BYTES_MAX, SIMILAR_ROWS_DEFAULT, SIMILAR_ROWS_MAX
from datastorage.search import content_hash, query_text, split_headline
from datastorage.search.lexical import LexicalQuestion
from datastorage.services.dependencies import Dependencies


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityQuestion:
    """What is asked for."""

    text: str
    where: Filter = EVERYTHING
    rows: int = SIMILAR_ROWS_DEFAULT
    at: datetime | None = None  # when it happened; None: now
    min_similarity: float | None = None
    mode: SearchMode = SearchMode.HYBRID
    collapse: bool = False
    other_than: int | None = None  # the number of the incident that asks

    def check(self) -> None:
        """Errors: InvalidInput."""
        if not self.text.strip():
            raise InvalidInput.single("text", "is empty or white space only")
        if len(self.text.encode(errors="replace")) > SEARCH_TEXT_BYTES_MAX:
            raise InvalidInput.single("text", f"is longer than {SEARCH_TEXT_BYTES_MAX} bytes")
        if not 1 <= self.rows <= SIMILAR_ROWS_MAX:
            raise InvalidInput.single("first", f"must be between 1 and {SIMILAR_ROWS_MAX}, got {self.rows}")
        if self.min_similarity is not None and not -1 <= self.min_similarity <= 1:
            raise InvalidInput.single("minSimilarity", "must be between -1 and 1")
        if self.min_similarity is not None and self.mode is SearchMode.LEXICAL:
            raise InvalidInput.single(
                "minSimilarity", "needs a search by meaning; mode LEXICAL knows words only"
            )
        check_bounds(self.where)

    @property
    def among(self) -> Filter:
        """The incidents to look among."""
        if self.other_than is None:
            return self.where
        return AllOf((self.where, Condition("id", Operator.NE, self.other_than)))

    @property
    def moment(self) -> datetime:
        """When it happened."""
        return self.at or datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the legs understand it. Without vectors the reason why."""

    lexical: LexicalQuestion
    vectors: tuple[Vector, Vector] | None  # of the whole, and of its headline
    reason: str | None = None


async def understood(deps: Dependencies, question: SimilarityQuestion) -> Asked:
    """The question redacted like what is stored, as terms and as vectors."""
    text = deps.redactor.text(question.text)[0]
    headline, body = split_headline(text)
    lexical = LexicalQuestion(headline, body)
    if deps.embedder.provider is None:
        return Asked(lexical, None, "embeddings are switched off")
    if question.mode is SearchMode.LEXICAL:
        return Asked(lexical, None)
    texts = [query_text(part) for part in (text, headline)]
    keys = [content_hash(part) for part in texts]
    vectors = await deps.embedder.questions(dict(zip(keys, texts, strict=True)))
    if not vectors.keys() >= set(keys):
        return Asked(lexical, None, "the text could not be embedded")
    return Asked(lexical, (vectors[keys[0]], vectors[keys[1]]))
