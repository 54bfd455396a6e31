"""The document side of BM25: saturated counts, long texts damped, headline and body apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.limits import LEXICAL_TERMS_MAX
from datastorage.models.sparsevec import sparsevec_text
from datastorage.search.lexical import (
    B,
    BODY_TERMS_AVERAGE,
    DIMENSIONS,
    HEADLINE_OFFSET,
    K1,
    lexical_document,
)
from datastorage.search.terms import term_number

DISK, FULL = term_number("disk"), term_number("full")


def test_headline_and_body_are_weighed_apart() -> None:
    document = lexical_document("disk", "disk full")

    assert document.terms == tuple(sorted((DISK, FULL)))
    assert set(document.weights) == {HEADLINE_OFFSET + DISK, DISK, FULL}


def test_a_repeated_term_counts_more_but_never_much_more() -> None:
    once, twice, often = (lexical_document("", f"{'disk ' * n}full").weights[DISK] for n in (1, 2, 50))

    assert once < twice < often < K1 + 1


def test_a_weight_is_that_of_bm25() -> None:
    text = " ".join(["disk"] * 3 + [f"w{number}" for number in range(117)])

    weight = lexical_document("", text).weights[DISK]

    assert weight == pytest.approx(3 * (K1 + 1) / (3 + K1 * (1 - B + B * 120 / BODY_TERMS_AVERAGE)))


def test_the_longest_text_fits_into_a_sparsevec() -> None:
    text = " ".join(f"w{number}" for number in range(3 * LEXICAL_TERMS_MAX))

    document = lexical_document(text, text)

    assert len(document.weights) <= 2 * LEXICAL_TERMS_MAX < 16_000


@given(st.text(), st.text())
def test_every_weight_has_its_term_and_its_place(headline: str, body: str) -> None:
    document = lexical_document(headline, body)

    assert set(document.terms) == {index % HEADLINE_OFFSET for index in document.weights}
    assert all(0 <= index < DIMENSIONS and weight > 0 for index, weight in document.weights.items())


def test_dimensions_are_written_from_one() -> None:
    assert sparsevec_text({0: 1.5, 3: 0.123456}, 5) == "{1:1.5,4:0.1235}/5"
