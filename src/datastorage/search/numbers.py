"""Which numbers carry meaning: error codes, service ports and versions. The others only count. Called by masking."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "#"

# Letters and digits, but none of the scripts that write no spaces: there a number stands beside a word, not in it.
ALPHANUMERIC: Final = r"[^\W_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"

CONTEXT_CHARS: Final = 48  # as far back as a word that gives a number its meaning is looked for
CODE_DIGITS_MAX: Final = 10  # Windows writes its codes as unsigned 32-bit numbers
EPHEMERAL_PORTS_FROM: Final = 32_768  # Linux gives clients ports from here on: below, a port names a service

_CODE_WORD = (
    r"(?:(?:err(?:or)?|exit|status|return|sql|result|reason|response)?code|(?:nt)?status|exit|exited"
    r"|errno|err|error|hresult|signal|sqlstate|rc|http(?:/[12](?:\.[01])?)?)"
)
_WORD_START = r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))"  # also inside exitCode

_CODE_WORD_ALONE: Final = re.compile(_CODE_WORD, re.IGNORECASE)
_BEFORE_CODE: Final = re.compile(
    rf"{_WORD_START}(?i:{_CODE_WORD})(?:[\"')\]]{{0,2}} ?(?:[:=]|is|with)? ?[\"'(\[]{{0,2}}[-+]?\#?|/)\Z"
)
_BEFORE_HTTP_STATUS: Final = re.compile(
    rf"{_WORD_START}(?i:returned|response|responded with|answered|got|received) ?[:=]? ?[\"'(\[]?\Z"
)
_HTTP_FAILURE: Final = re.compile(r"[45][0-9]{2}")
_BEFORE_PORT: Final = re.compile(rf"(?:{MASK}\]?:|{_WORD_START}(?i:port) ?[:=]? ?[\"']?)\Z")

# Words whose number is part of their name, wherever it stands: utf-8, sha_256, us-east-1.
_NUMBERED_WORDS: Final = frozenset(
    "utf iso sha aes rsa base http tls ssl ipv x86 east west north south central"
    " northeast northwest southeast southwest".split()
)

_IPV4: Final = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::([0-9]{1,5}))?(?:/[0-9]{1,2})?")
_VERSION: Final = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){2,3}[A-Za-z0-9]{0,8}")
_SHORT_VERSION: Final = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}[A-Za-z0-9]{0,8}")
_DOTTED_DATE: Final = re.compile(r"(?:19|20)[0-9]{2}\..*|.*\.(?:19|20)[0-9]{2}")
_BEFORE_SHORT_VERSION: Final = re.compile(
    rf"(?:[A-Za-z][/_-]|{_WORD_START}(?i:version|release|tls|ssl)[ :=]{{1,2}}[\"']?)\Z"
)


def masked_compound(number: str, before: str) -> str:
    """What stays of digits joined by `.`, `:`, `/` or `,`: an address, a time, a fraction, a version.

    `before` is the masked text so far.
    """
    address = _IPV4.fullmatch(number)
    if address is not None:
        port = address[1]
        return f"{MASK}:{port}" if port and _is_service_port(port) else MASK
    return number if _is_version(number, before) else MASK


def is_code(number: str, before: str) -> bool:
    """Whether a number that stands alone tells failures apart: exit code 137, HTTP 503, port 5432."""
    if _found(_BEFORE_CODE, before):
        return len(number) <= CODE_DIGITS_MAX
    if _HTTP_FAILURE.fullmatch(number) and _found(_BEFORE_HTTP_STATUS, before):
        return True
    return _is_service_port(number) and _found(_BEFORE_PORT, before)


def is_hex_code(before: str) -> bool:
    """Whether a 0x number is an error code and no address."""
    return _found(_BEFORE_CODE, before)


def belongs_to(word: str) -> bool:
    """Whether the number joined to this word is part of a name: ORA-00942, CVE-2022-42003, utf-8, us-east-1."""
    if word.isdecimal():
        return True
    if word.isalpha() and word.isupper() and len(word) > 1:
        return True
    return word.lower() in _NUMBERED_WORDS or _CODE_WORD_ALONE.fullmatch(word) is not None


def _is_service_port(number: str) -> bool:
    return len(number) <= 5 and int(number) < EPHEMERAL_PORTS_FROM  # noqa: PLR2004 -- 65535 has five digits


def _is_version(number: str, before: str) -> bool:
    if _VERSION.fullmatch(number):
        return not before.endswith(".") and not _DOTTED_DATE.fullmatch(number)
    return _SHORT_VERSION.fullmatch(number) is not None and _found(_BEFORE_SHORT_VERSION, before)


def _found(pattern: re.Pattern[str], before: str) -> bool:
    return pattern.search(before, max(0, len(before) - CONTEXT_CHARS)) is not None
