"""The Accept header: which media types a client takes, and how gladly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_WEIGHT: Final = re.compile(r"0(\.[0-9]*)?|\.[0-9]+|1(\.0*)?", re.ASCII)


def weights(accept: str) -> dict[str, float]:
    """Media ranges with their quality, 0 to 1; what cannot be read counts as 0."""
    found: dict[str, float] = {}
    for entry in accept.lower().split(","):
        media, *parameters = (part.strip() for part in entry.split(";"))
        if media:
            found[media] = max(found.get(media, 0.0), _quality(parameters))
    return found


def quality(media: str, wanted: Mapping[str, float]) -> float:
    """How gladly one media type is taken; the most specific range that covers it decides."""
    for media_range in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if media_range in wanted:
            return wanted[media_range]
    return 0.0


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if _WEIGHT.fullmatch(value.strip()) else 0.0
    return 1.0
