"""Free text in answers: as stored, or encoded for a page."""

from __future__ import annotations

import html

from datastorage.graphql.enums import TextFormat


def formatted(text: str | None, style: TextFormat) -> str | None:
    """Free text in the wanted format."""
    return html.escape(text) if text is not None and style is TextFormat.HTML else text
