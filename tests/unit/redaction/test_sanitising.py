from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datastorage.redaction import clean_text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  pod crashed \n", "pod crashed"),
        ("a\x00b\x07c\x1bd\x7fe\x9ff", "abcdef"),
        ("\x00 inner\x01 \x02", "inner"),
        ("tab\there\nand there", "tab\there\nand there"),
        ("one\r\ntwo\rthree\n\rfour", "one\ntwo\nthree\n\nfour"),
        ("10 %\r20 %", "10 %\n20 %"),
        ("\ud800lone and late\udfff", "\ufffdlone and late\ufffd"),
        ("\ud83d\ude00 joined", "\U0001f600 joined"),
        ("Café – 日本語 🙂 “quoted” <b>O'Brien; -- /* */</b> & 100 %", "Café – 日本語 🙂 “quoted” <b>O'Brien; -- /* */</b> & 100 %"),
        ("family 👩\u200d👧 stays\u00a0whole", "family 👩\u200d👧 stays\u00a0whole"),
        ("\u3000\u00a0 wide space \u2003", "wide space"),
        ("", ""),
        (" \t\r\n\x00", ""),
    ],
)  # fmt: skip
def test_cleans_what_cannot_be_kept_and_nothing_else(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@given(st.text(st.characters()))
def test_what_is_left_can_be_encoded_stored_and_cleaned_again(text: str) -> None:
    clean = clean_text(text)
    assert clean.encode().decode() == clean
    assert "\x00" not in clean
    assert clean == clean.strip()
    assert clean_text(clean) == clean


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_text_without_control_characters_is_only_trimmed(text: str) -> None:
    assert clean_text(text) == text.strip()
