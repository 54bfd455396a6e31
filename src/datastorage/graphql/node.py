"""Global ids: an opaque name for any record, made of its type and its number."""

from __future__ import annotations

import base64
import binascii

import strawberry

from datastorage.errors import InvalidInput


@strawberry.interface(description="Anything with a global id, as Relay asks for.")
class Node:
    """Relay's Node."""

    id: strawberry.ID = strawberry.field(description="Opaque id, unique over all types.")


def global_id(type_name: str, number: int) -> strawberry.ID:
    """The global id of a record."""
    return strawberry.ID(base64.b64encode(f"{type_name}:{number}".encode()).decode())


def split_global_id(value: str) -> tuple[str, int]:
    """Type and number of a record. Errors: InvalidInput."""
    try:
        type_name, _, number = base64.b64decode(value, validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        raise InvalidInput.single("id", "is no id of this service") from None
    if not type_name or not (number.isascii() and number.isdecimal()) or int(number) >= 2**63:
        raise InvalidInput.single("id", "is no id of this service")
    return type_name, int(number)


def number_of(value: str, type_name: str) -> int:
    """The number of a record that must be of one type. Errors: InvalidInput."""
    found, number = split_global_id(value)
    if found != type_name:
        raise InvalidInput.single("id", f"belongs to a {found}, not to a {type_name}")
    return number
