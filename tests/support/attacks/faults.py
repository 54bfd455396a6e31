"""What an answer must never be or hold. Standard library only: other people's tools look for it as well."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

SERVER_ERRORS: Final = 500
# What of the inside could come out. No case says any of it, so none is an echo.
LEAKS: Final = re.compile(
    r"Traceback|\bFile \\?\"|site-packages|\.py\b|\basyncpg|sqlalchemy|pydantic|httptools|graphql-core|object at 0x|"
    r"postgres(ql)?://|/tmp/|/root/|/home/|/usr/|/var/|syntax error at|relation \\?\"|column \\?\"|violates|"
    r"\$[0-9]|::(text|jsonb|halfvec|timestamptz)|FROM (remediation|incident|ai_analysis|workflow|execution)_|"
    r"remediation_event|incident_(embedding|lexical)|invalid byte sequence|out of range for",
    re.IGNORECASE,
)


def faults(status: int, told: str, secrets: Iterable[str] = ()) -> list[str]:
    """Of `server_errors`, `internal`, `leaks` and `time_outs` those that an answer shows."""
    found = {
        "server_errors": status >= SERVER_ERRORS,
        "internal": '"INTERNAL"' in told,  # a fault that nobody expected, masked
        "leaks": LEAKS.search(told) is not None or any(secret in told for secret in secrets),
        "time_outs": '"TIMEOUT"' in told,
    }
    return [name for name, shown in found.items() if shown]
