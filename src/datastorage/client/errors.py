"""What can go wrong, as exceptions to catch.

    DataStorageError
    ├── ValidationFailed        the input was refused; `faults` has every reason
    ├── Conflict                the key is stored with other content, or the version moved on; `fields` differ
    ├── NotFound                no such record
    ├── InvalidTransition       the phase cannot move this way
    ├── Forbidden               the caller may not do this, or is not known
    ├── RequestTooLarge         the service, or a proxy before it, takes no body of this size
    ├── QueryFailed             anything else that GraphQL answered as an error; `code` tells what
    ├── Unavailable             the service cannot be reached or cannot do this now, after all retries
    └── UnexpectedAnswer        the answer is not one of this API: a wrong address, or a proxy's page

Any error may be a plain DataStorageError when a newer service has a kind that this client does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datastorage.client.generated.records import FieldFault


class DataStorageError(Exception):
    """Anything that goes wrong here; its message is for people, its code for programs."""

    def __init__(self, message: str, *, code: str = "UNKNOWN", retryable: bool = False) -> None:
        super().__init__(message)
        self.code, self.retryable = code, retryable


class ValidationFailed(DataStorageError):
    """The input was refused; `faults` names each field in the spelling of the API (camelCase)."""

    def __init__(self, message: str, faults: Sequence[FieldFault], *, code: str = "VALIDATION") -> None:
        super().__init__(message, code=code)
        self.faults = tuple(faults)


class Conflict(DataStorageError):
    """The key is stored with other content, or the version moved on."""

    def __init__(self, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(message, code="CONFLICT")
        self.fields = tuple(fields)


class NotFound(DataStorageError):
    """No such record."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="NOT_FOUND")


class InvalidTransition(DataStorageError):
    """The phase cannot move this way."""

    def __init__(
        self, message: str, current_phase: str, requested_phase: str, allowed: Sequence[str]
    ) -> None:
        super().__init__(message, code="INVALID_TRANSITION")
        self.current_phase, self.requested_phase = current_phase, requested_phase
        self.allowed_phases = tuple(allowed)


class Forbidden(DataStorageError):
    """The caller may not do this."""

    def __init__(self, message: str, *, code: str = "FORBIDDEN") -> None:
        super().__init__(message, code=code)


class RequestTooLarge(DataStorageError):
    """The body has more bytes than the service, or a proxy before it, takes."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="REQUEST_TOO_LARGE")


class QueryFailed(DataStorageError):
    """GraphQL answered errors: the first is the message, all are in `errors`, and `data` is what came beside."""

    def __init__(
        self, message: str, *, code: str, errors: Sequence[Mapping[str, Any]], data: Mapping[str, Any] | None
    ) -> None:
        super().__init__(message, code=code)
        self.errors, self.data = tuple(errors), data


class Unavailable(DataStorageError):
    """The service cannot do this now; the same call may succeed later.

    `outcome_unknown`: a write may stand or not; repeating it is safe and tells which.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "UNAVAILABLE",
        outcome_unknown: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, retryable=True)
        self.outcome_unknown, self.retry_after_s = outcome_unknown, retry_after_s


class UnexpectedAnswer(DataStorageError):
    """An answer that is not one of this API."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, code="UNEXPECTED_ANSWER")
        self.status = status
