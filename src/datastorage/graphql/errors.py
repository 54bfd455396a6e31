"""Errors of the API: typed members of mutation results, and codes on query errors.

Expected faults of a mutation become members of its result union through the handlers below. Whatever a
query raises is mapped to a code here; what nobody expected is masked and logged with an id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from uuid import uuid4

import strawberry
import structlog
from graphql import ExecutionResult, GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult as StrawberryResult
from strawberry.types.field import StrawberryField
from strawberry.types.graphql import OperationType

from datastorage import errors
from datastorage.domain.kind import R
from datastorage.domain.receipt import Written
from datastorage.graphql.coercion import input_fault
from datastorage.graphql.context import Info
from datastorage.graphql.enums import ErrorCode, FaultReason
from datastorage.observability.labels import DualWriteFailure
from datastorage.observability.metrics import count_dualwrite_failure
from datastorage.services.records.accounting import count_faults

P = TypeVar("P")

log = structlog.get_logger(__name__)


@strawberry.interface(description="An error that a client can expect and act on.")
class UserError:
    """What all typed errors share."""

    message: str = strawberry.field(description="For people.")
    code: ErrorCode = strawberry.field(description="For programs.")
    retryable: bool = strawberry.field(description="Whether the same request may succeed later.")


@strawberry.type(description="One refused field.")
class FieldFault:
    """A fault of an input."""

    field: str = strawberry.field(description="Name of the input field.")
    reason: FaultReason = strawberry.field(description="Why it was refused.")
    message: str = strawberry.field(description="For people.")


@strawberry.type(description="The input was refused; every fault is listed.")
class ValidationError(UserError):
    """Refused input."""

    faults: list[FieldFault] = strawberry.field(description="All faults of the input.")


@strawberry.type(description="The key is stored with other content, or the version moved on.")
class ConflictError(UserError):
    """Other content under the same key."""

    fields: list[str] = strawberry.field(description="Fields that differ from what is stored.")


@strawberry.type(description="No such record.")
class NotFoundError(UserError):
    """Nothing there."""


@strawberry.type(description="The phase cannot move this way.")
class InvalidTransitionError(UserError):
    """A move that the state machine does not know."""

    current_phase: str = strawberry.field(description="Phase that the record is in.")
    requested_phase: str = strawberry.field(description="Phase that was asked for.")
    allowed_phases: list[str] = strawberry.field(description="Phases it can move to.")


@strawberry.type(description="The caller may not do this.")
class ForbiddenError(UserError):
    """No right."""


@strawberry.type(description="The service cannot do this now; repeating the request is safe.")
class UnavailableError(UserError):
    """Try again."""

    outcome_unknown: bool = strawberry.field(
        description="The write may or may not stand; repeat it to learn which."
    )


def validation_error(error: errors.InvalidInput) -> ValidationError:
    """Refused input as a result."""
    faults = [
        FieldFault(field=fault.field, reason=fault.reason, message=fault.message) for fault in error.faults
    ]
    return ValidationError(message=str(error), code=ErrorCode.VALIDATION, retryable=False, faults=faults)


def conflict_error(error: errors.RecordConflict) -> ConflictError:
    """A conflict as a result."""
    return ConflictError(
        message=str(error), code=ErrorCode.CONFLICT, retryable=False, fields=list(error.fields)
    )


def not_found_error(error: errors.RecordNotFound) -> NotFoundError:
    """A missing record as a result."""
    return NotFoundError(message=str(error), code=ErrorCode.NOT_FOUND, retryable=False)


def invalid_transition_error(error: errors.InvalidTransition) -> InvalidTransitionError:
    """A refused move as a result."""
    return InvalidTransitionError(
        message=str(error),
        code=ErrorCode.INVALID_TRANSITION,
        retryable=False,
        current_phase=error.current,
        requested_phase=error.requested,
        allowed_phases=list(error.allowed),
    )


def forbidden_error(error: errors.Forbidden) -> ForbiddenError:
    """A denial as a result."""
    return ForbiddenError(message=str(error), code=ErrorCode.FORBIDDEN, retryable=False)


def unavailable_error(error: errors.Unavailable) -> UnavailableError:
    """An outage as a result."""
    return UnavailableError(
        message=str(error),
        code=ErrorCode.UNAVAILABLE,
        retryable=True,
        outcome_unknown=error.outcome_unknown,
    )


# The one table from domain errors to members of result unions.
RESULTS: dict[type[errors.DataStorageError], tuple[type[UserError], Callable[[Any], UserError]]] = {
    errors.InvalidInput: (ValidationError, validation_error),
    errors.RecordConflict: (ConflictError, conflict_error),
    errors.RecordNotFound: (NotFoundError, not_found_error),
    errors.InvalidTransition: (InvalidTransitionError, invalid_transition_error),
    errors.Forbidden: (ForbiddenError, forbidden_error),
    errors.Unavailable: (UnavailableError, unavailable_error),
}


def result_of(
    info: Info, outcome: Written[R] | errors.DataStorageError, payload: Callable[[Written[R]], P]
) -> P | UserError:
    """One item of a batch as a member of its union. Errors: whatever is no member is raised."""
    if isinstance(outcome, Written):
        return payload(outcome)
    for raised, (_, convert) in RESULTS.items():
        if isinstance(outcome, raised):
            return _told(info, convert(outcome))
    raise outcome


def _told(info: Info, error: UserError) -> UserError:
    info.context.refusals.add(error.code.value)
    return error


class ResultHandler:
    """Strawberry's exception handler for one kind of domain error: turns it into its member of the union."""

    def __init__(self, raised: type[errors.DataStorageError]) -> None:
        self.exception_type = raised
        self.error_type, self._convert = RESULTS[raised]

    def handle(
        self,
        exception: Any,
        *,
        field: StrawberryField,  # noqa: ARG002 -- the protocol's
        info: Info,
    ) -> UserError:
        """The result instead of the exception."""
        return _told(info, self._convert(exception))


HANDLERS = tuple(ResultHandler(raised) for raised in RESULTS)

# The codes of query errors, most specific first.
CODES: tuple[tuple[type[errors.DataStorageError], str], ...] = (
    (errors.BadCursor, "BAD_CURSOR"),
    (errors.InvalidInput, "BAD_USER_INPUT"),
    (errors.Forbidden, "FORBIDDEN"),
    (errors.OperationTimeout, "TIMEOUT"),
    (errors.Unavailable, "UNAVAILABLE"),
)


class ErrorPresentation(SchemaExtension):
    """Gives every error of a response a code, and masks what nobody expected."""

    def on_operation(self) -> Iterator[None]:
        """After the operation, before the response is formatted."""
        yield
        result = self.execution_context.result
        if isinstance(result, ExecutionResult | StrawberryResult) and result.errors:
            result.errors = presented(result.errors, writes=self._writes())

    def _writes(self) -> bool:
        context = self.execution_context
        return context.graphql_document is not None and context.operation_type is OperationType.MUTATION


def presented(found: Iterable[GraphQLError], *, writes: bool) -> list[GraphQLError]:
    """The errors of an operation as a client may see them; `writes`: whether it is a mutation."""
    shown = [present(error) for error in found]
    if writes and any("reason" in (error.extensions or {}) for error in shown):
        count_dualwrite_failure(DualWriteFailure.VALIDATION)
    return shown


def present(error: GraphQLError) -> GraphQLError:
    """The error as a client may see it."""
    original = error.original_error
    while isinstance(original, GraphQLError):
        original = original.original_error
    # Before execution there is no path yet: syntax, validation, and coercion, which points at its node.
    if original is None or (error.path is None and error.nodes):
        return _refused(error)
    for raised, code in CODES:
        if isinstance(original, raised):
            return _coded(error, str(original), code, **_details(original))
    return _masked(error, original)


def _refused(error: GraphQLError) -> GraphQLError:
    """Syntax, validation and coercion: the request itself is wrong."""
    if "code" in (error.extensions or {}):
        return error
    message, fault = input_fault(error)
    if fault is None:
        return _coded(error, message, "BAD_USER_INPUT")
    count_faults([fault])
    return _coded(error, message, "BAD_USER_INPUT", field=fault.field, reason=fault.reason.name)


def _details(original: errors.DataStorageError) -> dict[str, Any]:
    if isinstance(original, errors.InvalidInput):
        return {
            "faults": [
                {"field": fault.field, "reason": fault.reason.name, "message": fault.message}
                for fault in original.faults
            ]
        }
    return {"retryable": True} if original.retryable else {}


def _masked(error: GraphQLError, original: Exception) -> GraphQLError:
    error_id = uuid4().hex
    log.error("internal_error", error_id=error_id, path=error.path, exc_info=original)
    return _coded(error, f"internal error {error_id}", "INTERNAL", errorId=error_id)


def _coded(error: GraphQLError, message: str, code: str, **details: Any) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, **details},
    )
