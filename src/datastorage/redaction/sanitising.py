"""Free text on its way in: trimmed, without control characters, encodable; otherwise as it was sent."""

from __future__ import annotations

import re
from typing import Final

# A carriage return breaks a line (Windows, old Macs, progress bars); it becomes the newline it stands for.
_LINE_BREAK: Final = re.compile(r"\r\n?")
# C0 and C1 without tab and newline, and DEL.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]+")


def clean_text(value: str) -> str:
    """The text as evidence: no white space around it, no control character but tab and newline in it.

    Half a surrogate pair, which no encoding can write, becomes U+FFFD; two halves are joined.
    """
    if not value.isprintable():  # true for most single lines, and far cheaper than the rest
        value = _CONTROL.sub("", _LINE_BREAK.sub("\n", _encodable(value)))
    return value.strip()


def _encodable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value
