"""Error signatures: lines and stack frames that two occurrences of the same fault have in common to the letter.

What differs between occurrences is masked first, so that a pod's name or a port does not keep them apart.
Signatures stand among an incident's terms; the mark in front keeps them apart from words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from datastorage.limits import SIGNATURE_CHARS_MAX, SIGNATURE_LINES_MAX, SIGNATURES_MAX
from datastorage.search.masking import mask_volatile

MARK: Final = "\x01"  # in no text: control characters are removed
FRAMES: Final = 3  # fewer are shared by faults that have nothing else in common

_FAULT: Final = re.compile(
    r"exception|error|fatal|panic|fail|refused|denied|timed? ?out|cannot|could not|unable|not found|killed",
    re.IGNORECASE,
)
_FRAME: Final = re.compile(r"\s*(?:at\s+([\w.$<>/]+)\s*\(|File \"[^\"]*\", line \d+, in (\w+))")
_CHARS_MIN: Final = 12  # `Error:` alone tells nothing


def signatures(text: str) -> list[str]:
    """The signatures of a text, in order and without repetition; of long texts only the first."""
    return list(dict.fromkeys(islice(_signatures(text), SIGNATURES_MAX)))


def _signatures(text: str) -> Iterator[str]:
    frames: list[str] = []
    for line in islice(text.splitlines(), SIGNATURE_LINES_MAX):
        frame = _FRAME.match(line)
        if frame:
            frames.append(frame[1] or frame[2])
            if len(frames) >= FRAMES:
                yield MARK + "|".join(frames[-FRAMES:])
        elif _FAULT.search(line):
            frames = []
            masked = mask_volatile(line[:SIGNATURE_CHARS_MAX]).casefold()
            if len(masked) >= _CHARS_MIN:
                yield MARK + masked
