"""The headline of a text: what a person would read first. Called for questions."""

from __future__ import annotations


def split_headline(text: str) -> tuple[str, str]:
    """The first line that is not blank, and the rest; both without white space around them."""
    headline, _, rest = text.strip().partition("\n")
    return headline.rstrip(), rest.strip()
