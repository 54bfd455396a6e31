"""`token` and `secret` by themselves: they may name something harmless, so the value has to look secret too."""

from __future__ import annotations

from typing import Final

from datastorage.redaction.pattern import Pattern
from datastorage.redaction.values import BARE_END, IDENTIFIER, PLACEHOLDER, QUOTE, RIGHT, WORD_END

_FORM: Final = r"(?P<secret>[A-Za-z0-9._~+/=%-]{8,})"
# `token: expired`, `token: default-token-x7k2p`: words, and names of resources.
_NAME: Final = r"(?-i:[A-Za-z]?[a-z]+|[a-z0-9]+(?:[-./][a-z0-9.]+)+)"
# Every assembly of .NET prints `PublicKeyToken=b77a5c561934e089`, which is public.
_TOKEN: Final = rf"(?i)(?:(?P<spare_key>publickeytoken)|token(?:{QUOTE})?"

GENERIC: Final = (
    Pattern(
        "auth_token",
        (
            rf"{_TOKEN}\s*:\s*(?:{QUOTE})?(?:(?P<spare>{_NAME}|{IDENTIFIER}|{PLACEHOLDER}){WORD_END}|{_FORM}))",
            rf"{_TOKEN}\s*(?:=|%3d)\s*(?:{QUOTE})?(?:(?P<spare>[a-z]+|{IDENTIFIER}|{PLACEHOLDER}){WORD_END}|{_FORM}))",
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
