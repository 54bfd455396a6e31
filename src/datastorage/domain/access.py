"""An entry of the access audit: who wanted what, from where, and what became of it. Appended, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AccessOutcome(StrEnum):
    """What became of an access."""

    ALLOWED = "allowed"
    REFUSED = "refused"  # for a reason of the request's: a fault of the input, a conflict, nothing there
    DENIED = "denied"
    UNAUTHENTICATED = "unauthenticated"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access as it is noted down, before it is stored."""

    at: datetime
    outcome: AccessOutcome
    principal: str | None = None  # None: nobody knows
    declared_actor: str | None = None
    address: str | None = None
    request_id: str | None = None
    operation: str | None = None  # the operation as the client named it
    field: str | None = None  # the root field
    subject: str | None = None  # key of the record that was named
    reason: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """One row of the access audit."""

    id: int
    recorded_at: datetime
    outcome: AccessOutcome
    principal: str | None
    declared_actor: str | None
    address: str | None
    request_id: str | None
    operation: str | None
    field: str | None
    subject: str | None
    reason: str | None
    times: int
