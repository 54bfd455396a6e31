"""Volatile tokens out: the same failure gives the same text, whichever pod, address or minute it happened in.

Called for everything that is embedded and for every question, so that both speak alike.

Every decision looks only at the token and at the masked text before it, and `#` can be no part of a token: that
is why masking twice changes nothing. A pattern that looks ahead must take `#` for the digits it stands for.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from datastorage.limits import TEXTS_REMEMBERED_MAX
from datastorage.search.names import masked_part
from datastorage.search.numbers import ALPHANUMERIC, MASK, masked_compound

REMEMBERED_CHARS_MAX: Final = 1_024  # what is longer seldom comes twice

_HEX = "[0-9A-Fa-f]"
_GROUP = f"{_HEX}{{1,4}}"
_IPV6 = rf"""
    (?:{_GROUP}:){{7}}{_GROUP}
    |(?=[A-Fa-f:]*[0-9])(?:{_GROUP}(?::{_GROUP}){{0,6}})?::(?:{_GROUP}(?::{_GROUP}){{0,6}})?"""
_MAC = rf"(?:{_HEX}{{2}}[:-]){{5}}{_HEX}{{2}}"

_MONTH = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    "|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_DAY = rf"(?:{_MONTH}\.?\ [0-9]{{1,2}}(?:,?\ [0-9]{{4}})?|[0-9]{{1,2}}[ /-]{_MONTH}[ /-][0-9]{{2,4}})"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
_ZONE = r"(?:\ (?:UTC|GMT|[ECMP][DS]T|CES?T))?(?:\ [+-][0-9]{4})?"
_ISO_DAY = "[0-9]{4}-?[0-9]{2}-?[0-9]{2}"
_ISO_CLOCK = r"[0-9]{2}:?[0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"

_UUID: Final = re.compile(rf"{_HEX}{{8}}([-_]){_HEX}{{4}}\1{_HEX}{{4}}\1{_HEX}{{4}}\1{_HEX}{{12}}")

# Dates that are written with words, and clocks with AM or PM; those in digits alone are found as numbers.
_CALENDAR: Final = re.compile(
    rf"""(?<![A-Za-z0-9])(?:
    (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{{0,6}},?\ )?{_DAY}(?![A-Za-z0-9]|:[A-Za-z])
        (?:[ :,]\ ?{_CLOCK}(?:\ [AP]M)?{_ZONE}(?:\ [0-9]{{4}})?(?![A-Za-z0-9]|:[0-9\{MASK}]))?
    |{_CLOCK}\ ?[AP]M(?![A-Za-z0-9]))
    """,
    re.VERBOSE,
)

# Only words with a digit or a hyphen can hold something volatile: the others are passed over quickly.
_SUSPECT_WORD: Final = re.compile(r"(?<![^ ])[^ 0-9-]*+[0-9-][^ ]*")
_TOKEN: Final = re.compile(
    rf"""
    (?P<word>(?<!-)[A-Za-z]++(?![^\W_]|:))
    |(?P<time>{_ISO_DAY}(?:T{_ISO_CLOCK})?(?![A-Za-z0-9]|[:.][0-9\{MASK}])
        |[0-9]+[hm](?:[0-9]+m)?[0-9]+\.[0-9]+s\b)
    |(?P<address>(?<![A-Za-z0-9:.\{MASK}-])
        (?:{_MAC}|{_IPV6})(?:%[A-Za-z0-9]+)?
        (?![A-Za-z0-9\{MASK}]|[:.-][A-Za-z0-9:\{MASK}]))
    |(?P<version>[A-Za-z]+[0-9]{{1,3}}(?:\.[0-9]{{1,5}})+(?![0-9])[A-Za-z0-9]*)
    |(?P<compound>[0-9]+(?:[./][0-9]+|:[0-9]++(?!-[0-9\{MASK}])|,[0-9]{{3}}(?![0-9]))+[A-Za-z0-9]*)
    |(?P<part>{ALPHANUMERIC}+)
    """,
    re.VERBOSE,
)
_SUSPICIOUS: Final = re.compile(rf"[0-9_{MASK}-]")  # in everything that is masked
_MASKS_IN_A_ROW: Final = re.compile(rf"{MASK}(?:[-_ ]{MASK})+")


def mask_volatile(text: str) -> str:
    """The text on one line, with `#` for whatever differs between two occurrences of the same failure.

    Masked: UUIDs, pod hashes and ordinals, digests, addresses, dates, times, durations, sizes, plain numbers.
    Kept: error codes, exit codes, HTTP failures, service ports, versions, and names that have digits in them.
    Masking twice changes nothing, the result is never longer, and the time is linear in the length.

    Why `#`: of ten stand-ins, and leaving the token out, it was among the two that moved the ranking of
    similar reports least.
    """
    text = " ".join(text.split())
    return _masked(text) if len(text) <= REMEMBERED_CHARS_MAX else _masked.__wrapped__(text)


@lru_cache(TEXTS_REMEMBERED_MAX)
def _masked(text: str) -> str:
    """Remembered, since an incident's text is masked to be embedded and once more for its signatures."""
    if not _SUSPICIOUS.search(text):
        return text
    text = _CALENDAR.sub(MASK, _UUID.sub(MASK, text))
    masked, rest_from = "", 0
    for word in _SUSPECT_WORD.finditer(text):
        for token in _TOKEN.finditer(text, word.start(), word.end()):
            if token.lastgroup != "word":
                masked += text[rest_from : token.start()]
                masked += _masked_token(token, masked)
                rest_from = token.end()
    return _MASKS_IN_A_ROW.sub(MASK, masked + text[rest_from:])


def _masked_token(token: re.Match[str], before: str) -> str:
    match token.lastgroup:
        case "part":
            return masked_part(token[0], before)
        case "compound":
            return masked_compound(token[0], before)
        case "version":
            return token[0]
        case _:
            return MASK
