"""The secret of an API key: `dsk_` + a prefix by which it is found and shown + what only its holder knows.

It is 256 bits of chance, so its plain SHA-256 is enough: there is nothing to guess that a slow hash would protect,
and one would cost every request milliseconds.
"""

from __future__ import annotations

import re
import secrets
import string
from hashlib import sha256
from typing import Final

MARK: Final = "dsk_"
PREFIX_CHARS: Final = 10
_ALPHABET: Final = string.ascii_lowercase + string.digits
_KEY: Final = re.compile(rf"{MARK}([a-z0-9]{{{PREFIX_CHARS}}})_([A-Za-z0-9_-]{{43}})")


def new_secret() -> tuple[str, str]:
    """A secret nobody has seen yet, and its prefix."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(PREFIX_CHARS))
    return f"{MARK}{prefix}_{secrets.token_urlsafe(32)}", prefix


def prefix_of(secret: str) -> str | None:
    """The prefix of what looks like one of our secrets."""
    parts = _KEY.fullmatch(secret)
    return None if parts is None else parts[1]


def hash_of(secret: str) -> bytes:
    """What is stored."""
    return sha256(secret.encode()).digest()
