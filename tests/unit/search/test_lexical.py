"""The document side of BM25: saturated counts, long texts damped, headline and whole apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.limits import LEXICAL_TERMS_MAX
from datastorage.models.sparsevec import sparsevec_text
from datastorage.search.lexical import (
    DIMENSIONS,
    HEADLINE_OFFSET,
    WHOLE,
    LexicalQuestion,
    against_headline,
    lexical_document,
)
from datastorage.search.signatures import signatures
from datastorage.search.terms import term_number

DISK, FULL = term_number("disk"), term_number("full")


def test_headline_and_whole_are_weighed_apart() -> None:
    document = lexical_document("disk", "disk full")

    assert document.terms == tuple(sorted((DISK, FULL)))
    assert set(document.weights) == {HEADLINE_OFFSET + DISK, DISK, FULL}


def test_a_word_of_the_headline_counts_three_times() -> None:
    assert (
        lexical_document("disk", "full").weights[DISK]
        == lexical_document("", "disk disk disk full").weights[DISK]
    )


def test_a_repeated_term_counts_more_but_never_much_more() -> None:
    once, twice, often = (lexical_document("", f"{'disk ' * n}full").weights[DISK] for n in (1, 2, 50))

    assert once < twice < often < WHOLE.k1 + 1


def test_a_weight_is_that_of_bm25() -> None:
    text = " ".join(["disk"] * 3 + [f"w{number}" for number in range(117)])

    weight = lexical_document("", text).weights[DISK]

    assert weight == pytest.approx(3 * 3.0 / (3 + 2.0 * (0.1 + 0.9 * 120 / 180)))


def test_a_question_saturates_alike_and_tells_its_words() -> None:
    question = LexicalQuestion("disk", "disk full full")

    assert question.title == {DISK: pytest.approx(1.0)}
    assert question.whole == {DISK: pytest.approx(3 * 4 / 6), FULL: pytest.approx(3 * 2 / 4)}
    assert question.words == {DISK: "disk", FULL: "full"}
    assert against_headline(question.title) == {HEADLINE_OFFSET + DISK: pytest.approx(1.0)}


def test_the_longest_text_fits_into_a_sparsevec() -> None:
    text = " ".join(f"w{number}" for number in range(3 * LEXICAL_TERMS_MAX))

    document = lexical_document(text, text)

    assert len(document.weights) <= 2 * LEXICAL_TERMS_MAX < 16_000


@given(st.text(), st.text())
def test_every_weight_has_its_term_and_its_place(headline: str, body: str) -> None:
    document = lexical_document(headline, body)

    signed = set(map(term_number, signatures(f"{headline}\n{body}")))
    assert set(document.terms) == {index % HEADLINE_OFFSET for index in document.weights} | signed
    assert all(0 <= index < DIMENSIONS and weight > 0 for index, weight in document.weights.items())


def test_dimensions_are_written_from_one() -> None:
    assert sparsevec_text({0: 1.5, 3: 0.123456}, 5) == "{1:1.5,4:0.1235}/5"
