"""A record as a line of JSONL: what an export writes and an import reads.

Fields are those of the create input, and `record` names the kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import orjson

from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.execution import EXECUTION
from datastorage.domain.kind import RecordKind
from datastorage.domain.names import camel, snake
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.workflow import WORKFLOW
from datastorage.errors import Fault, FaultReason, InvalidInput

RECORD: Final = "record"
# Analyses first: a remediation that finds its root causes stored is embedded only once.
EXCHANGE_ORDER: Final[tuple[RecordKind[Any], ...]] = (ANALYSIS, REMEDIATION, WORKFLOW, EXECUTION)


def record_name(kind: RecordKind[Any]) -> str:
    """How JSONL names a kind."""
    return kind.type_name[0].lower() + kind.type_name[1:]


KIND_OF: Final[Mapping[str, RecordKind[Any]]] = MappingProxyType(
    {record_name(kind): kind for kind in (REMEDIATION, ANALYSIS, WORKFLOW, EXECUTION)}
)


def to_line(kind: RecordKind[Any], record: Any) -> bytes:
    """A stored record as JSON with its line end; enums as the API writes them, absent fields left out."""
    values = ((name, getattr(record, name)) for name in kind.input_fields)
    sent = {camel(name): _written(value) for name, value in values if value is not None}
    return orjson.dumps(
        {RECORD: record_name(kind), **sent}, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    )


def from_json(value: Any) -> tuple[RecordKind[Any], dict[str, Any]]:
    """The kind and the raw fields by column name; a remediation if it does not say. Errors: InvalidInput."""
    if not isinstance(value, dict):
        raise InvalidInput.single("line", "is no JSON object")
    fields = dict(value)
    name = fields.pop(RECORD, record_name(REMEDIATION))
    kind = KIND_OF.get(name) if isinstance(name, str) else None
    if kind is None:
        known = ", ".join(KIND_OF)
        raise InvalidInput.single(RECORD, f"is of an unknown kind; expected one of {known}")
    _refuse_twice_given(fields)
    return kind, {snake(spelling): value for spelling, value in fields.items()}


def _refuse_twice_given(fields: Mapping[str, Any]) -> None:
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for spelling in fields:
        spellings[snake(spelling)].append(spelling)
    faults = [
        Fault(camel(name), FaultReason.INVALID, f"is given more than once, as {' and '.join(given)}")
        for name, given in spellings.items()
        if len(given) > 1
    ]
    if faults:
        raise InvalidInput(faults)


def _written(value: Any) -> Any:
    return value.name if isinstance(value, StrEnum) else value
