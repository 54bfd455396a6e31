"""Secrets out of a record before anything else sees it, and what the client is told about that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datastorage.domain.kind import RecordKind
from datastorage.domain.names import camel
from datastorage.domain.receipt import Redaction
from datastorage.observability.metrics import SANITIZATIONS
from datastorage.redaction import Finding, Redactor

_REDACTED = SANITIZATIONS.labels("redacted")


def redacted(
    kind: RecordKind[Any], values: Mapping[str, Any], redactor: Redactor
) -> tuple[dict[str, Any], tuple[Redaction, ...]]:
    """The values with their free text and JSON redacted, and what was found where."""
    clean, redactions = dict(values), []
    for name in kind.redacted:
        value = clean.get(name)
        if value:
            clean[name], findings = _without_secrets(value, redactor)
            redactions += [Redaction(camel(name), finding.pattern, finding.count) for finding in findings]
    _REDACTED.inc(sum(redaction.count for redaction in redactions))
    return clean, tuple(redactions)


def _without_secrets(value: Any, redactor: Redactor) -> tuple[Any, tuple[Finding, ...]]:
    return redactor.text(value) if isinstance(value, str) else redactor.json(value)
