"""PEM blocks: what lies between BEGIN and END, or as far as a cut-off block goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import re2

from datastorage.redaction.pattern import Span

_BEGIN: Final = b"-BEGIN "
_END: Final = re2.compile(r"-{4,5} ?END [A-Z0-9 ]+?-{4,5}")
# Lines may be separated by real newlines or by escaped ones, as in a string of JSON.
_BREAK: Final = r"(?:\s|\\+[nrt])"
_CUT_OFF: Final = re2.compile(
    rf"(?:{_BREAK}*[A-Z][A-Za-z-]+: [^\n\\]*)*(?:{_BREAK}*[A-Za-z0-9+/=]{{16,}})*(?:{_BREAK}+[A-Za-z0-9+/=]+)?"
)


def pem_blocks(text: bytes, begins: Iterable[Span]) -> Iterator[Span]:
    """Each block whole, up to its END; where another one begins before that, up to where its base64 stops."""
    end = _END.search(text)
    for start, body in begins:
        while end is not None and end.start() < body:
            end = _END.search(text, end.end())
        following = text.find(_BEGIN, body)
        limit = following if following >= 0 else len(text)
        if end is not None and end.end() <= limit:
            yield start, end.end()
        else:
            yield start, _CUT_OFF.match(text, body, limit).end()
