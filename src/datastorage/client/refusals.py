"""Reads what a mutation or GraphQL itself answers instead of a result: from JSON to an exception."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from datastorage.client.errors import (
    Conflict,
    DataStorageError,
    Forbidden,
    InvalidTransition,
    NotFound,
    QueryFailed,
    Unavailable,
    ValidationFailed,
)
from datastorage.client.generated.records import FieldFault

Json = Mapping[str, Any]

_LATER: Final = {"UNAVAILABLE", "TIMEOUT", "RATE_LIMITED"}
_DENIED: Final = {"FORBIDDEN", "UNAUTHENTICATED"}

_MEMBERS: Final[dict[str, Callable[[Json], DataStorageError]]] = {
    "ValidationError": lambda it: ValidationFailed(it["message"], _faults(it["faults"])),
    "ConflictError": lambda it: Conflict(it["message"], it["fields"]),
    "NotFoundError": lambda it: NotFound(it["message"]),
    "InvalidTransitionError": lambda it: InvalidTransition(
        it["message"], it["currentPhase"], it["requestedPhase"], it["allowedPhases"]
    ),
    "ForbiddenError": lambda it: Forbidden(it["message"]),
    "UnavailableError": lambda it: Unavailable(it["message"], outcome_unknown=it["outcomeUnknown"]),
}


def refused(result: Json) -> DataStorageError:
    """The exception for a member of a mutation's result; one that is not known by what all members have."""
    if read := _MEMBERS.get(result["__typename"]):
        return read(result)
    message = result.get("message") or f"the service answered {result['__typename']}"
    return DataStorageError(
        message, code=result.get("code", "UNKNOWN"), retryable=result.get("retryable", False)
    )


def failed(errors: Sequence[Json], data: Json | None, retry_after_s: float | None) -> DataStorageError:
    """The exception for the errors of a GraphQL answer; the first one decides."""
    message = "; ".join(str(error.get("message", "")) for error in errors)
    details = errors[0].get("extensions") or {}
    code = str(details.get("code", "UNKNOWN"))
    if code in _LATER or details.get("retryable"):
        unknown = bool(details.get("outcomeUnknown"))
        return Unavailable(message, code=code, outcome_unknown=unknown, retry_after_s=retry_after_s)
    if code in _DENIED:
        return Forbidden(message, code=code)
    if faults := _faults_beside(errors):
        return ValidationFailed(message, faults, code=code)
    return QueryFailed(message, code=code, errors=errors, data=data)


def _faults_beside(errors: Sequence[Json]) -> list[FieldFault]:
    found: list[FieldFault] = []
    for error in errors:
        details = error.get("extensions") or {}
        if details.get("code") != "BAD_USER_INPUT":
            continue
        found += _faults(details.get("faults", ()))
        if "field" in details and "reason" in details:
            found += _faults([{**details, "message": error.get("message", "")}])
    return found


def _faults(given: Sequence[Json]) -> list[FieldFault]:
    return [FieldFault.model_validate(fault) for fault in given]
