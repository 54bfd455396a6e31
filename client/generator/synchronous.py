"""Makes the synchronous client of the asynchronous one: the same words without async and await."""

from __future__ import annotations

import re
from pathlib import Path

from generator.places import HEADER, PACKAGE

_RULES = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b__a(enter|exit|iter)__", r"__\1__"),
    (r"\baclose\b", "close"),
    (r"\bclient\.aio\b", "client.sync"),
    (r"for (\w+) in (.+):\n +yield \1\n", r"yield from \2\n"),
    (r"\bfor asyncio\b", "without asyncio"),
)


def modules() -> list[Path]:
    """What there is to translate."""
    return sorted(PACKAGE.joinpath("aio").glob("*.py"))


def synchronous(code: str) -> str:
    """The same module, synchronous."""
    for pattern, replacement in _RULES:
        code = re.sub(pattern, replacement, code)
    return HEADER + code.removeprefix(HEADER)
