"""The four kinds of audits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.enums import SubjectKind
from datastorage.domain.execution import EXECUTION
from datastorage.domain.kind import RecordKind
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.workflow import WORKFLOW

KINDS: Final[tuple[RecordKind[Any], ...]] = (REMEDIATION, ANALYSIS, WORKFLOW, EXECUTION)
KIND_OF_SUBJECT: Final[Mapping[SubjectKind, RecordKind[Any]]] = MappingProxyType(
    {kind.subject: kind for kind in KINDS}
)
