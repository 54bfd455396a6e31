"""Free text in answers: as stored, or encoded for a page."""

from __future__ import annotations

import html

from datastorage.graphql.enums import TextFormat
from datastorage.observability.labels import Sanitization
from datastorage.observability.metrics import count_sanitizations


def formatted(text: str | None, style: TextFormat) -> str | None:
    """Free text in the wanted format."""
    if text is None or style is not TextFormat.HTML:
        return text
    encoded = html.escape(text)
    if encoded != text:
        count_sanitizations(Sanitization.HTML_ENCODED)
    return encoded
