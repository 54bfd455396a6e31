"""Terms: identifiers whole and in their parts; a text has every word of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.limits import TERM_CHARS_MAX
from datastorage.search.terms import TERM_BITS, term_number, terms, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("?! -- /", []),
        ("OOMKilled", ["oomkilled", "oom", "killed"]),
        ("ImagePullBackOff", ["imagepullbackoff", "image", "pull", "back", "off"]),
        ("payment-api", ["payment-api", "payment", "api"]),
        ("E11000", ["e11000"]),
        ("ORA-00600", ["ora-00600", "ora", "00600"]),
        ("x509: unknown", ["x509", "unknown"]),
        ("java.lang.NPE@1b", ["java.lang.npe@1b", "java", "lang", "npe", "1b"]),
        ("HTTPServer2Error", ["httpserver2error", "http", "server2", "error"]),
        ("snake_case_name", ["snake_case_name", "snake", "case", "name"]),
        ("10.0.0.1:5432", ["10.0.0.1:5432", "10", "0", "0", "1", "5432"]),
        ("Straße ÄRGER", ["strasse", "ärger"]),
        ("ﬁle", ["file"]),
        ("a a", ["a", "a"]),
    ],
)
def test_a_text_becomes_these_terms(text: str, found: list[str]) -> None:
    assert list(terms(text)) == found


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("ImagePullBackOff", {"image", "pull", "back", "off"}),
        ("imagepullbackoff", {"imagepullbackoff"}),
        ("ORA-00600!", {"ora", "00600"}),
        ("?!", set()),
    ],
)
def test_a_question_asks_for_these_words(question: str, parts: set[str]) -> None:
    assert words(question) == parts


@given(st.text())
def test_a_text_has_every_word_of_itself(text: str) -> None:
    assert words(text) <= set(terms(text))


@given(st.text(), st.text())
def test_words_are_found_in_any_company(text: str, other: str) -> None:
    assert words(text) <= set(terms(f"{other} {text} {other}"))


@given(st.text())
def test_terms_are_bounded_and_numbered_within_their_bits(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term) <= TERM_CHARS_MAX
        assert 0 <= term_number(term) < 1 << TERM_BITS


def test_a_number_never_changes() -> None:
    assert term_number("checkout") == 255_339_854
