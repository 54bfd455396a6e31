"""Global ids: an opaque name for any record, made of its type and its number."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import strawberry

from datastorage.errors import InvalidInput
from datastorage.limits import BIGINT_MAX

_GLOBAL_ID: Final = re.compile(r"(?P<type>[A-Za-z]{1,64}):(?P<number>0|[1-9][0-9]{0,18})")


@strawberry.interface(description="Anything with a global id, as Relay asks for.")
class Node:
    """Relay's Node."""

    id: strawberry.ID = strawberry.field(description="Opaque id, unique over all types.")


def global_id(type_name: str, number: int) -> strawberry.ID:
    """The global id of a record."""
    return strawberry.ID(base64.b64encode(f"{type_name}:{number}".encode()).decode())


def split_global_id(value: str) -> tuple[str, int]:
    """Type and number of a record. Errors: InvalidInput, also for a second spelling of an id."""
    try:
        name = base64.b64decode(value, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        name = ""
    parts = _GLOBAL_ID.fullmatch(name)
    if (
        parts is None
        or int(parts["number"]) > BIGINT_MAX
        or base64.b64encode(name.encode()) != value.encode()
    ):
        raise InvalidInput.single("id", "is no id of this service")
    return parts["type"], int(parts["number"])


def number_of(value: str, type_name: str) -> int:
    """The number of a record that must be of one type. Errors: InvalidInput."""
    found, number = split_global_id(value)
    if found != type_name:
        raise InvalidInput.single("id", f"belongs to a {found}, not to a {type_name}")
    return number
