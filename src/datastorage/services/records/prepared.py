"""A create before it is written: validated, cleaned, redacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from datastorage.domain.caller import Caller
from datastorage.domain.kind import R, RecordKind
from datastorage.domain.receipt import Redaction
from datastorage.redaction import Redactor
from datastorage.services.redaction_receipt import redacted


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft that is ready to be written, by whom, and what was redacted from it."""

    caller: Caller
    draft: Any
    redactions: tuple[Redaction, ...]


def prepare(kind: RecordKind[R], caller: Caller, redactor: Redactor, raw: Mapping[str, Any]) -> Prepared:
    """From what a client sent. Errors: InvalidInput with every fault; Forbidden outside the scope."""
    draft = kind.parse(raw)
    caller.require_within(draft.namespace, draft.cluster_name)
    clean, redactions = redacted(kind, {name: getattr(draft, name) for name in kind.redacted}, redactor)
    return Prepared(caller, replace(draft, **clean) if redactions else draft, redactions)
