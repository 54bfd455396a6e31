"""Free text on its way in: trimmed, without control characters, encodable; otherwise as it was sent."""

from __future__ import annotations

import re
from typing import Final

import re2

from datastorage.observability.labels import Sanitization
from datastorage.observability.metrics import count_sanitizations

# C0 and C1 without tab and newline, and DEL.
_CONTROL_CLASS: Final = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
_HAS_CONTROL: Final = re2.compile(_CONTROL_CLASS)  # several times as fast on the clean text that most text is
_CONTROL: Final = re.compile(_CONTROL_CLASS)
# A carriage return breaks a line (Windows, old Macs, progress bars); it becomes the newline it stands for.
_LINE_BREAK: Final = re.compile(r"\r\n?")


def clean_text(value: str) -> str:
    """The text as evidence: no white space around it, no control character but tab and newline in it.

    Half a surrogate pair, which no encoding can write, becomes U+FFFD; two halves are joined.
    """
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        encoded = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        value = encoded.decode()
    if _HAS_CONTROL.search(encoded):
        value = _CONTROL.sub("", _LINE_BREAK.sub("\n", value))
        count_sanitizations(Sanitization.CONTROL_REMOVED)
    trimmed = value.strip()
    if len(trimmed) != len(value):
        count_sanitizations(Sanitization.TRIMMED)
    return trimmed
