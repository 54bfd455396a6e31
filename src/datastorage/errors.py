"""The error tree: what can go wrong, in the words of the product.

    DataStorageError
    ├── InvalidInput            faults of a record or an argument, each with field and reason
    ├── BadCursor               a page cursor that is broken, or belongs to another order or filter
    ├── RecordConflict          the natural key is taken by other content, or the version moved on
    │   └── HeldBack            an item of an atomic batch that was not stored because of another
    ├── RecordNotFound          no such record, or none that the caller may see
    ├── InvalidTransition       a phase move that the state machine does not know
    ├── Unauthenticated         nobody knows who asks; never says which part of a credential was wrong
    ├── Forbidden               the caller has no right to this
    ├── Unavailable             a dependency is down or full; trying again may help
    │   ├── SchemaNotReady      migrations of this release are pending
    │   ├── OperationTimeout    the work took longer than it may
    │   ├── LockTimeout         another transaction held what was needed for too long
    │   ├── Throttled           the caller asks more often than it may
    │   ├── WriteCollision      PostgreSQL gave a transaction up in favour of another: nothing of it stands
    │   ├── EngineUnavailable   the vector engine beside PostgreSQL does not answer, or refuses
    │   ├── CircuitOpen         the dependency failed so often that it is left alone for a while
    │   └── EmbeddingFailed     no vector could be had for a text
    │       ├── EmbeddingTimeout  in time
    │       ├── RateLimited       because the provider was asked too much
    │       └── TextRefused       because of the text: the provider is well
    └── OperatorError           for the person at the command line, never for an API client
        ├── SettingsError       every wrong setting, in one message
        ├── StartupError        the service refuses to run, and says how to mend it
        └── EmbeddedServerError the embedded PostgreSQL cannot be used

Raised low, mapped once at the edge (`graphql.errors`, `cli.failures`). No transport words here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class DataStorageError(Exception):
    """Anything this product raises on purpose; its message is fit for the caller."""

    retryable = False


class FaultReason(StrEnum):
    """Why a field was refused; also a metric label, so the set is closed."""

    REQUIRED = "required"
    INVALID = "invalid"
    LENGTH_EXCEEDED = "length_exceeded"
    WHITESPACE_ONLY = "whitespace_only"
    XSS_DETECTED = "xss_detected"
    SQL_INJECTION_DETECTED = "sql_injection_detected"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field, in the client's spelling (camelCase)."""

    field: str
    reason: FaultReason
    message: str


class InvalidInput(DataStorageError):
    """An input was refused; carries every fault found, not just the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)

    @classmethod
    def single(cls, field: str, message: str, reason: FaultReason = FaultReason.INVALID) -> InvalidInput:
        """The common case of one fault."""
        return cls([Fault(field, reason, message)])


class BadCursor(DataStorageError):
    """A cursor that cannot be read, or that was made for another order or filter."""


class RecordConflict(DataStorageError):
    """The key is taken by other content, or the version is not the expected one.

    `fields` names what differs; it is empty when the row lies outside the caller's scope, or was not looked at.
    """

    def __init__(self, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class HeldBack(RecordConflict):
    """Nothing is wrong with it, but another item of its atomic batch was refused."""


class RecordNotFound(DataStorageError):
    """No such record, or none that the caller may see."""


class InvalidTransition(DataStorageError):
    """A phase move that the record's state machine does not allow."""

    def __init__(self, current: str, requested: str, allowed: Sequence[str]) -> None:
        ways = f"allowed from {current}: {', '.join(allowed)}" if allowed else f"{current} is final"
        super().__init__(f"phase cannot move from {current} to {requested}; {ways}")
        self.current, self.requested, self.allowed = current, requested, tuple(allowed)


class Unauthenticated(DataStorageError):
    """No credential, or none that is good. The message is the same for all; `reason` is for the access audit."""

    def __init__(self, reason: str) -> None:
        super().__init__("authentication is needed")
        self.reason = reason


class Forbidden(DataStorageError):
    """The caller lacks the right, or the row lies outside its scope."""


class Unavailable(DataStorageError):
    """A dependency is down or a queue is full; the same request may succeed later.

    `outcome_unknown`: the connection broke while committing, so the write may stand.
    Repeating it is safe, because creates are idempotent by their natural key.
    """

    retryable = True

    def __init__(self, message: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class SchemaNotReady(Unavailable):
    """The database lacks a table or column that a pending migration brings."""


class OperationTimeout(Unavailable):
    """The work took longer than its time-out allows."""


class LockTimeout(Unavailable):
    """Another transaction held a row or a lock for longer than a writer waits for it."""


class Throttled(Unavailable):
    """The caller asks more often than it may; after a while it may again."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class WriteCollision(Unavailable):
    """A deadlock or a serialisation failure: nothing was written, and the same again will likely succeed."""


class EngineUnavailable(Unavailable):
    """The vector engine beside PostgreSQL does not answer in time, or refuses."""


class CircuitOpen(Unavailable):
    """The dependency failed so often that it is left alone for a while."""


class EmbeddingFailed(Unavailable):
    """The provider gave no vector; the record stands without one until it does."""


class EmbeddingTimeout(EmbeddingFailed):
    """The provider took longer than it may."""


class RateLimited(EmbeddingFailed):
    """The provider was asked more than it allows."""


class TextRefused(EmbeddingFailed):
    """This text has no vector, whoever is asked and when; it says nothing about the provider."""


class OperatorError(DataStorageError):
    """For the person who runs the service: says what is wrong and how to mend it."""


class SettingsError(OperatorError):
    """Wrong settings, all of them in one message."""


class StartupError(OperatorError):
    """The service refuses to start."""


class EmbeddedServerError(OperatorError):
    """The embedded PostgreSQL cannot be set up, adopted or started."""
