"""The text that stands for an incident, or for a question, when its meaning is compared. Called by services.

Its lines have roles: the headline, the account of what happened, and the circumstances (what was done, to what
kind of thing). Ids and labels are no part of it: they are filters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from datastorage.limits import EMBEDDED_CHARS_MAX, MASKED_CHARS_MAX
from datastorage.search.headline import split_headline
from datastorage.search.masking import mask_volatile


def embedded_text(
    *,
    action_type: str,
    target_kind: str,
    headline: str,
    error_message: str | None,
    root_causes: Sequence[str],
    resolution: str | None,
) -> str:
    """The text of an incident: always three lines, volatile tokens masked, at most EMBEDDED_CHARS_MAX long.

    The same failure gives the same text, in whatever order its analyses arrived. What is too long loses the
    end of its account.
    """
    causes = sorted({_masked(cause) for cause in root_causes})
    account = [_masked(error_message or ""), *causes, _masked(resolution or "")]
    circumstances = _masked(f"{action_type} {target_kind}")
    return _bounded(_masked(headline), " ".join(filter(None, account)), circumstances)


def query_text(text: str) -> str:
    """A question in the form of `embedded_text`: its first line is the headline, the rest the account."""
    headline, rest = split_headline(text)
    lines = (_masked(headline), _masked(rest))
    return "\n".join(filter(None, lines))[:EMBEDDED_CHARS_MAX]


def content_hash(text: str) -> bytes:
    """What a text is known by: the SHA-256 of its UTF-8, 32 bytes."""
    return hashlib.sha256(text.encode()).digest()


def _masked(text: str) -> str:
    # JSON can smuggle in half of a surrogate pair, which UTF-8 has no bytes for.
    encodable = text[:MASKED_CHARS_MAX].encode(errors="replace").decode()
    return mask_volatile(encodable)


def _bounded(headline: str, account: str, circumstances: str) -> str:
    room = EMBEDDED_CHARS_MAX - len(circumstances) - 2
    headline = headline[:room]
    account = account[: room - len(headline)]
    return f"{headline}\n{account}\n{circumstances}"
