"""One operation of the API: its document, and how its answer is read. `generated.operations` lists them all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from datastorage.client.errors import DataStorageError, UnexpectedAnswer
from datastorage.client.refusals import refused

T_co = TypeVar("T_co", covariant=True)

Data = Mapping[str, Any]


class Operation(Generic[T_co]):
    """A root field with all its arguments."""

    writes: ClassVar[bool] = False

    def __init__(self, field: str, result: Any, *document: str) -> None:
        self.field: Final = field
        self.document: Final = " ".join(document)
        self._type = result

    def read(self, data: Data) -> T_co:
        """The result in the data of an answer. Errors: UnexpectedAnswer, or what a write was refused with."""
        return self._validated(data.get(self.field))

    def _validated(self, value: Any) -> T_co:
        try:
            valid: T_co = self._reader.validate_python(value)
        except ValidationError as error:
            raise UnexpectedAnswer(f"{self.field} answered what this client cannot read: {error}") from error
        return valid

    @cached_property
    def _reader(self) -> TypeAdapter[Any]:
        # Built when first needed: a client uses few operations, and most of the time of an import would go here.
        return TypeAdapter(self._type)


class Query(Operation[T_co]):
    """Reads."""


class Count(Operation[int]):
    """Asks a list only how many there are."""

    def read(self, data: Data) -> int:
        """The whole number."""
        return self._validated((data.get(self.field) or {}).get("totalCount"))


class NodeQuery(Operation[T_co]):
    """Asks for a record of any kind, under an alias for each kind: their fields differ in type."""

    def read(self, data: Data) -> T_co:
        """The record, or None. Errors: UnexpectedAnswer for a kind that this client does not know."""
        if found := next(filter(None, data.values()), None):
            kind = found["__typename"]
            if kind not in data:
                raise UnexpectedAnswer(f"the record is a {kind}, which this client does not know")
            return self._validated(data[kind])
        return self._validated(None)


class Mutation(Operation[T_co]):
    """Writes one record: answers its payload, or a typed error."""

    writes = True

    def read(self, data: Data) -> T_co:
        """The payload. Errors: what the write was refused with."""
        outcome = self._outcome(data[self.field])
        if isinstance(outcome, DataStorageError):
            raise outcome
        return outcome

    def _outcome(self, result: Data) -> T_co | DataStorageError:
        is_payload = str(result["__typename"]).endswith("Payload")
        return self._validated(result) if is_payload else refused(result)


class BatchMutation(Mutation[T_co]):
    """Writes many records: answers a payload or a typed error for each, in their order."""

    def read_all(self, data: Data) -> list[T_co | DataStorageError]:
        """What became of each."""
        return [self._outcome(result) for result in data[self.field]]
