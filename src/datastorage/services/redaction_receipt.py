"""Secrets out of a record before anything else sees it, and what the client is told about that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from datastorage.domain.kind import RecordKind
from datastorage.domain.names import camel
from datastorage.domain.receipt import Redaction
from datastorage.limits import FREE_TEXT_BYTES_MAX
from datastorage.observability.labels import Sanitization
from datastorage.observability.metrics import count_sanitizations
from datastorage.redaction import Finding, Redactor

MARKER_START: Final = "[REDACTED:"


def redacted(
    kind: RecordKind[Any], values: Mapping[str, Any], redactor: Redactor
) -> tuple[dict[str, Any], tuple[Redaction, ...]]:
    """A record's values with their free text and JSON redacted, and what was found where."""
    return redacted_fields(kind.redacted, values, redactor)


def redacted_fields(
    names: Iterable[str], values: Mapping[str, Any], redactor: Redactor
) -> tuple[dict[str, Any], tuple[Redaction, ...]]:
    """The values with those of these names redacted, and what was found where."""
    clean, redactions = dict(values), []
    for name in names:
        value = clean.get(name)
        if value:
            clean[name], findings = _without_secrets(value, redactor)
            redactions += [Redaction(camel(name), finding.pattern, finding.count) for finding in findings]
    count_sanitizations(Sanitization.REDACTED, sum(redaction.count for redaction in redactions))
    return clean, tuple(redactions)


def _without_secrets(value: Any, redactor: Redactor) -> tuple[Any, tuple[Finding, ...]]:
    if not isinstance(value, str):
        return redactor.json(value)
    text, findings = redactor.text(value)
    return cut(text, FREE_TEXT_BYTES_MAX), findings  # markers may be longer than what they stand for


def cut(text: str, bytes_max: int) -> str:
    """The text, or as many whole characters and markers of it as fit."""
    encoded = text.encode()
    if len(encoded) <= bytes_max:
        return text
    head = encoded[:bytes_max].decode(errors="ignore")
    start = head.rfind("[")
    torn = (
        start >= 0 and "]" not in head[start:] and MARKER_START.startswith(head[start:][: len(MARKER_START)])
    )
    return (head[:start] if torn else head).rstrip()
