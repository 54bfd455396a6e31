"""How programs are told a password: in URLs, on command lines, in statements, and as the hashes kept of it."""

from __future__ import annotations

from typing import Final

from datastorage.redaction.pattern import Pattern
from datastorage.redaction.values import IN_SINGLE, PLACEHOLDER, WORD_END

_USER: Final = r"(?i)[a-z0-9]://[^\s/?#:@\"'`<>]*:"
# docker://image:tag@sha256:… has no password in it.
_NONE: Final = rf"(?P<spare>{PLACEHOLDER}@|[^\s/?#\"'`<>@]+@sha256:)"
_ARGUMENT: Final = r"[^\s\"'`]+"
# On one line and within one command of a pipeline.
_OPTIONS: Final = r"\b[^\n;|]*?\s"

CONNECTIONS: Final = (
    # Up to the last @ before the path. A password with a slash in it is told from a port by its letters.
    Pattern(
        "url_credentials",
        (
            rf"{_USER}(?:{_NONE}|(?P<secret>[^\s/?#\"'`<>]+)@)",
            rf"{_USER}(?:{_NONE}|(?P<secret>\d*[^\s/?#\"'`<>\d@][^\s\"'`<>@]*)@)",
        ),
    ),
    Pattern(
        "command_line_password",
        (
            (
                rf"(?i)\bmysql(?:dump|admin|import)?{_OPTIONS}(?-i:-p)"
                rf"(?:(?P<spare>ort|ath|id|rotocol|rint){WORD_END}|(?P<secret>[^\s\"'`=-]{_ARGUMENT}|\w))"
            ),
            (
                rf"(?i)\bcurl{_OPTIONS}(?:-u|--user|--proxy-user)[ \t=]*[\"']?[^\s:\"'`]+:"
                rf"(?:(?P<spare>{PLACEHOLDER}){WORD_END}|(?P<secret>{_ARGUMENT}))"
            ),
            rf"(?i)\bsshpass\s+-p\s*[\"']?(?P<secret>{_ARGUMENT})",
            rf"(?i)\bredis-cli{_OPTIONS}-a\s+[\"']?(?P<secret>{_ARGUMENT})",
            rf"(?i)\bdocker\s+login{_OPTIONS}-p\s*[\"']?(?P<secret>{_ARGUMENT})",
            rf"(?i)\b(?:requirepass|masterauth)[ \t]+[\"']?(?P<secret>{_ARGUMENT})",
            r"(?i)\bmachine\s+\S+\s+login\s+\S+\s+password\s+(?P<secret>\S+)",  # .netrc
        ),
    ),
    Pattern(
        "sql_password",
        (rf"(?i)\b(?:password|identified(?:\s+with\s+\w+)?\s+by)\s+'(?P<secret>{IN_SINGLE})",),
    ),
    Pattern(
        "password_hash",
        (
            r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}",
            r"\$argon2(?:id|i|d)\$[A-Za-z0-9$=,+/]{20,}",
            # Not the $1$ of inner classes in a stack trace.
            r"(?:\A|[^A-Za-z0-9_$])(?P<secret>\$[156y]\$[./A-Za-z0-9$=]{20,})",
            r"SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=$:]{20,}",
        ),
    ),
)
