"""The Accept header: media ranges, their quality, and what cannot be read."""

import pytest

from datastorage.web.accept import quality, weights


@pytest.mark.parametrize(
    ("accept", "found"),
    [
        ("", {}),
        (" , ;q=1", {}),
        ("Text/HTML", {"text/html": 1.0}),
        ("a/b;q=0.25, a/*; q=.5 ,*/*;q=1.000", {"a/b": 0.25, "a/*": 0.5, "*/*": 1.0}),
        ("a/b; charset=utf-8; Q = 0.5", {"a/b": 0.5}),
        ("a/b;q=0.2, a/b;q=0.8", {"a/b": 0.8}),
    ],
)
def test_media_ranges_have_their_quality(accept: str, found: dict[str, float]) -> None:
    assert weights(accept) == found


@pytest.mark.parametrize("q", ["", "much", "-1", "2", "1.1", "1e-1", "nan", "inf", "0x1", "\u0660"])
def test_a_quality_that_cannot_be_read_counts_as_none(q: str) -> None:
    assert weights(f"a/b;q={q}") == {"a/b": 0.0}


@pytest.mark.parametrize(("media", "expected"), [("a/b", 0.0), ("a/c", 0.5), ("d/e", 0.1)])
def test_the_most_specific_range_decides(media: str, expected: float) -> None:
    assert quality(media, weights("a/b;q=0, a/*;q=0.5, */*;q=0.1")) == expected


def test_what_no_range_covers_is_not_taken() -> None:
    assert quality("a/b", weights("c/*, d/e")) == 0.0
