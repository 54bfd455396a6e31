"""The four kinds of audits."""

from __future__ import annotations

from typing import Any, Final

from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.execution import EXECUTION
from datastorage.domain.kind import RecordKind
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.workflow import WORKFLOW

KINDS: Final[tuple[RecordKind[Any], ...]] = (REMEDIATION, ANALYSIS, WORKFLOW, EXECUTION)
