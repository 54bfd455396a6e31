"""Which parts of names are made up anew for each object: pod hashes, ordinals, digests, ids. Called by masking."""

from __future__ import annotations

import re
from typing import Final

from datastorage.search.numbers import (
    ALPHANUMERIC,
    LABEL_CHARS_MAX,
    MASK,
    belongs_to,
    is_code,
    is_hex_code,
    is_numbered,
)

_PREVIOUS_PART: Final = re.compile(rf"({ALPHANUMERIC}+|{MASK})([-_])\Z")

# Kubernetes, and the node pools of the clouds, draw suffixes without vowels, so that they spell no words.
_KUBERNETES_SUFFIX: Final = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{5,10}")
_SPELT_LIKE_A_SUFFIX: Final = frozenset(
    {
        "btrfs",
        "grpcs",
        "html5",
        "http2",
        "https",
        "mssql",
        "nfsv4",
        "nghttp",
        "nghttp2",
        "ntlmv2",
        "pgsql",
        "tmpfs",
        "xhtml",
    }
)
_NODE_SUFFIX: Final = re.compile(r"(?=[a-z]*[0-9])[bcdfghjklmnpqrstvwxyz0-9]{4}")

_HEX_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]+")
_DIGEST: Final = re.compile(r"(?=[0-9]*[A-Fa-f])(?=[A-Fa-f]*[0-9])[0-9A-Fa-f]{7,}")
_IDENTITY: Final = re.compile(r"[0-9a-f]{1,8}")  # as in java.lang.Object@1b6d3586
_QUANTITY: Final = re.compile(
    r"(?:[0-9]+(?:ns|us|µs|ms|s|m|h|d|w|mins?|minutes?|secs?|seconds?|hrs?|hours?|days?"
    r"|[kKMGTP]i?[Bb]?|B|bytes|bps))+"
)
_RANDOM: Final = re.compile(r"(?=[0-9]*+(?:[A-Za-z]++[0-9]++){4})[A-Za-z0-9]{16,}")
_LONG_ORDINAL: Final = re.compile(r"([A-Za-z]+)[0-9]{6,}")


def masked_part(part: str, before: str) -> str:
    """What stays of a run of letters and digits; `before` is the masked text so far.

    Letters stay, and so do letters with digits (E11000, x509, s3), unless they look drawn at random.
    """
    previous, joiner = _previous_part(before)
    if part.isdecimal() and part.isascii():
        stays = is_code(part, before) if previous is None else belongs_to(previous, part)
        return part if stays else MASK
    if joiner == "-" and _is_suffix(part, previous):
        return MASK
    if part.isalpha():
        return part
    if previous is not None and is_numbered(previous):
        return part
    if _is_volatile(part, before):
        return MASK
    ordinal = _LONG_ORDINAL.fullmatch(part)
    return part if ordinal is None else masked_part(ordinal[1], before).removesuffix(MASK) + MASK


def _previous_part(before: str) -> tuple[str | None, str]:
    if before[-1:] not in ("-", "_"):
        return None, ""
    found = _PREVIOUS_PART.search(before, max(0, len(before) - LABEL_CHARS_MAX))
    return (None, "") if found is None else (found[1], found[2])


def _is_suffix(part: str, previous: str | None) -> bool:
    if previous == MASK and _NODE_SUFFIX.fullmatch(part):
        return True
    return _KUBERNETES_SUFFIX.fullmatch(part) is not None and part not in _SPELT_LIKE_A_SUFFIX


def _is_volatile(part: str, before: str) -> bool:
    if _HEX_NUMBER.fullmatch(part):
        return not is_hex_code(before)
    if before.endswith("@") and _IDENTITY.fullmatch(part):
        return True
    return any(pattern.fullmatch(part) for pattern in (_DIGEST, _QUANTITY, _RANDOM))
