"""A form: the fields of an input with their parsers. Reads what was sent, and tells every fault at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datastorage.domain.fields import Parser, Refused
from datastorage.domain.names import camel
from datastorage.errors import Fault, FaultReason, InvalidInput


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, by its column name."""

    name: str
    parse: Parser
    required: bool = False


class Form:
    """Reads a mapping of column names to raw values; unknown names are faults too."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = {field.name: field for field in fields}

    def only(self, *names: str, required: Iterable[str] = ()) -> Form:
        """Fewer of the same fields; `required` ones no longer take null, although a create may omit them."""
        chosen = (self._fields[name] for name in names)
        return Form(replace(field, required=field.required or field.name in required) for field in chosen)

    def read(self, raw: Mapping[str, Any], *, partial: bool = False) -> Reading:
        """The parsed values and the faults.

        `partial`: absent fields stay absent (an update); null clears what is optional.
        """
        values: dict[str, Any] = {}
        faults = [_unknown(name) for name in raw if name not in self._fields]
        for field in self._fields.values():
            sent = field.name in raw
            if not sent and partial:
                continue
            value = raw.get(field.name)
            if value is None:
                if field.required:
                    faults.append(_required(field.name))
                elif sent or not partial:
                    values[field.name] = None
                continue
            try:
                values[field.name] = field.parse(value)
            except Refused as refusal:
                faults.append(Fault(camel(field.name), refusal.reason, str(refusal)))
        return Reading(values, faults)


class Reading:
    """What a form made of an input."""

    def __init__(self, values: dict[str, Any], faults: list[Fault]) -> None:
        self.values, self._faults = values, faults

    def refuse(self, name: str, message: str) -> None:
        """Adds a fault that no single field shows."""
        self._faults.append(Fault(camel(name), FaultReason.INVALID, message))

    def done(self) -> dict[str, Any]:
        """The values. Errors: InvalidInput with every fault."""
        if self._faults:
            raise InvalidInput(self._faults)
        return self.values


def _required(name: str) -> Fault:
    return Fault(camel(name), FaultReason.REQUIRED, "is required")


def _unknown(name: str) -> Fault:
    return Fault(camel(name), FaultReason.INVALID, "is no field of this record")
