"""What inputs of all records share: fields, what was sent, keys, orders, batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import strawberry

from datastorage.domain.kind import RecordKind
from datastorage.domain.paging import Order, OrderTerm, total_order
from datastorage.errors import InvalidInput
from datastorage.graphql.context import Info
from datastorage.graphql.enums import NullsPlace, OrderDirection
from datastorage.graphql.node import number_of
from datastorage.services.records import RecordKey


def optional(description: str, *, name: str | None = None) -> Any:
    """A field that may be left out."""
    return strawberry.field(default=strawberry.UNSET, name=name, description=description)


def required(description: str) -> Any:
    """A field that must be given."""
    return strawberry.field(description=description)


def sent(given: Any) -> dict[str, Any]:
    """The fields of an input that the client sent, by column name."""
    return {name: value for name, value in vars(given).items() if value is not strawberry.UNSET}


def batch(info: Info, inputs: Sequence[Any]) -> list[dict[str, Any]]:
    """The same of many inputs. Errors: InvalidInput for too many."""
    allowed = info.context.deps.batch_rows_max
    if len(inputs) > allowed:
        raise InvalidInput.single("inputs", f"holds {len(inputs)} items; at most {allowed} are allowed")
    return [sent(given) for given in inputs]


def record_key(kind: RecordKind[Any], id: str | None, key: str | None) -> RecordKey:
    """What names one record. Errors: InvalidInput."""
    if (id is None) is (key is None):
        raise InvalidInput.single(kind.argument, f"give exactly one of {kind.argument} and id")
    return RecordKey(id=None if id is None else number_of(id, kind.type_name), key=key)


def to_order(kind: RecordKind[Any], given: Sequence[Any] | None) -> Order:
    """The order asked for, newest first by default. Errors: InvalidInput."""
    terms = [
        OrderTerm(term.field.value, term.direction is OrderDirection.DESC, term.nulls is NullsPlace.FIRST)
        for term in given or ()
    ]
    return total_order(terms, kind.newest_by)
