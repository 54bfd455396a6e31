"""Base64 that holds `user:password`: told from any other word by decoding it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator

from datastorage.redaction.pattern import Span


def user_and_password(text: bytes, words: Iterable[Span]) -> Iterator[Span]:
    """The spans that decode to printable text with a colon in it."""
    for start, end in words:
        if _is_pair(text[start:end]):
            yield start, end


def _is_pair(word: bytes) -> bool:
    # Four characters are three bytes, so a word that was cut off is judged by what is left of it.
    whole = word.rstrip(b"=")
    pair = b64decode(whole[: len(whole) // 4 * 4] or b"====")
    return b":" in pair and pair.decode("utf-8", "replace").isprintable()
