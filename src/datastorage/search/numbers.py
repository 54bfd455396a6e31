"""Which numbers carry meaning: error codes, service ports, versions. The others only count. Called by masking."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "#"

# Letters and digits, but none of the scripts that write no spaces: there a number stands beside a word, not in it.
ALPHANUMERIC: Final = r"[^\W_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"

NAME_DIGITS_MAX: Final = 6  # ORA-00942, CVE-2022-42003; with more it is an id, as REQ-1700000000
CODE_DIGITS_MAX: Final = 10  # Windows writes its codes as unsigned 32-bit numbers
PORT_DIGITS_MAX: Final = 5
EPHEMERAL_PORTS_FROM: Final = 32_768  # Linux gives clients ports from here on: below, a port names a service
LABEL_CHARS_MAX: Final = 48  # as far back as a number's label is looked for

_CODE_LABELS: Final = frozenset(
    {
        "code",
        "errcode",
        "errorcode",
        "exitcode",
        "statuscode",
        "returncode",
        "resultcode",
        "reasoncode",
        "responsecode",
        "sqlcode",
        "sqlstate",
        "status",
        "ntstatus",
        "hresult",
        "exit",
        "exited",
        "err",
        "errno",
        "error",
        "rc",
        "signal",
        "http",
    }
)
_REPLY_LABELS: Final = frozenset({"answered", "got", "received", "responded", "response", "returned"})
_VERSION_LABELS: Final = frozenset({"release", "ssl", "tls", "version"})
_HTTP_VERSIONS: Final = ("http/1.0", "http/1.1", "http/2", "http/2.0", "http/3")

# Words whose number is part of their name: utf-8, sha_256, us-east-1.
_NUMBERED_WORDS: Final = frozenset(
    {
        "aes",
        "base",
        "http",
        "ipv",
        "iso",
        "rsa",
        "sha",
        "ssl",
        "tls",
        "utf",
        "x86",
        "central",
        "east",
        "north",
        "northeast",
        "northwest",
        "south",
        "southeast",
        "southwest",
        "west",
    }
)

_LAST_WORD: Final = re.compile(r"(?<=[^A-Za-z])[A-Za-z]+\Z")
_LAST_HUMP: Final = re.compile(r"[A-Z][a-z]+\Z")  # Code of vendorCode
_HTTP_FAILURE: Final = re.compile(r"[45][0-9]{2}")
_IPV4: Final = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::([0-9]{1,5}))?(?:/[0-9]{1,2})?")
_VERSION: Final = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){2,3}[A-Za-z0-9]{0,8}")
_SHORT_VERSION: Final = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}[A-Za-z0-9]{0,8}")
_DOTTED_DATE: Final = re.compile(r"(?:19|20)[0-9]{2}\..*|.*\.(?:19|20)[0-9]{2}")


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
    label = _label(before)
    if label in _CODE_LABELS:
        return len(number) <= CODE_DIGITS_MAX
    if label in _REPLY_LABELS:
        return _HTTP_FAILURE.fullmatch(number) is not None
    at_port = label == "port" or before.endswith((f"{MASK}:", f"{MASK}]:"))
    return at_port and _is_service_port(number)


def is_hex_code(before: str) -> bool:
    """Whether a 0x number is an error code and no address."""
    return _label(before) in _CODE_LABELS


def belongs_to(word: str, number: str) -> bool:
    """Whether a number joined to a word is part of a name: ORA-00942, CVE-2022-42003, utf-8, exit-code-137."""
    if word.isdecimal() or (word.isalpha() and word.isupper() and len(word) > 1):
        return len(number) <= NAME_DIGITS_MAX
    return is_numbered(word) or word.lower() in _CODE_LABELS


def is_numbered(word: str) -> bool:
    """Whether a word needs its number to be understood: the zone us-east-1d, the cipher aes-256."""
    return word.lower() in _NUMBERED_WORDS


def _label(before: str) -> str:
    # `exit code: 137`, `statusCode=503`, `[Errno 111]`, `exited with (1)`, `HTTP/1.1" 502`
    if before[-5:].lower() == "http/":
        return "http"
    tail = before[-LABEL_CHARS_MAX:] if len(before) > LABEL_CHARS_MAX else f" {before}"
    tail = tail.rstrip("+-#").rstrip("\"'([").rstrip(" :=")
    tail = tail.removesuffix(" with").removesuffix(" is").rstrip("\"')]")
    word = _LAST_WORD.search(tail)
    if word is None:
        return "http" if tail.lower().endswith(_HTTP_VERSIONS) else ""
    label = word[0].lower()
    hump = None if label in _CODE_LABELS else _LAST_HUMP.search(word[0])
    return label if hump is None else hump[0].lower()


def _is_service_port(number: str) -> bool:
    return len(number) <= PORT_DIGITS_MAX and int(number) < EPHEMERAL_PORTS_FROM


def _is_version(number: str, before: str) -> bool:
    if _VERSION.fullmatch(number):
        return not before.endswith(".") and not _DOTTED_DATE.fullmatch(number)
    if not _SHORT_VERSION.fullmatch(number):
        return False
    return (before[-1:] in ("/", "-", "_") and before[-2:-1].isalpha()) or _label(before) in _VERSION_LABELS
