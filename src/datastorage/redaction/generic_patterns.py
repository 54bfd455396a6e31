"""`token` and `secret` by themselves: they may name something harmless, so the value has to look secret too."""

from __future__ import annotations

from typing import Final

from datastorage.redaction.pattern import Pattern
from datastorage.redaction.values import BARE_END, PLACEHOLDER, QUOTE, RIGHT, WORD_END

_FORM: Final = r"[A-Za-z0-9._~+/=%-]{8,}"
# `token: expired`, `token: default-token-x7k2p`: words, and names of resources.
_NAME: Final = r"(?-i:[A-Za-z]?[a-z]+|[a-z0-9]+(?:[-./][a-z0-9.]+)+)"

GENERIC: Final = (
    Pattern(
        "auth_token",
        (
            (
                rf"(?i)token(?:{QUOTE})?\s*:\s*(?:{QUOTE})?"
                rf"(?:(?P<spare>{_NAME}|{PLACEHOLDER}){WORD_END}|(?P<secret>{_FORM}))"
            ),
            (
                rf"(?i)token(?:{QUOTE})?\s*(?:=|%3d)\s*(?:{QUOTE})?"
                rf"(?:(?P<spare>[a-z]+|{PLACEHOLDER}){WORD_END}|(?P<secret>{_FORM}))"
            ),
        ),
    ),
    Pattern(
        "client_secret",
        (
            (
                rf"(?i)secret(?:{QUOTE})?\s*[:=]\s*(?:{QUOTE})?(?:(?P<secret_hex>[0-9a-f]{{32,}}){RIGHT}"
                rf"|(?P<spare>(?-i:[a-z0-9./-]+)|[a-z]+|{PLACEHOLDER}){WORD_END}"
                rf"|(?P<secret>[^\s\"'`,;&{{}}()\[\]<>]{{8,}}?){BARE_END})"
            ),
        ),
    ),
)
