"""What the mutations of all records share: from an input to a payload, or to a typed error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from datastorage.domain.kind import RecordKind
from datastorage.domain.receipt import Written
from datastorage.graphql.context import Info
from datastorage.graphql.errors import UserError, result_of
from datastorage.graphql.input import batch, record_key, sent
from datastorage.services.records import create_record, create_records, update_record

P = TypeVar("P")


def answered(payload: type[P], field: str) -> Callable[[Written[Any]], P]:
    """Makes a payload of what was written: the record under its name, and the receipt."""
    return lambda written: payload(**{field: written.record, "receipt": written.receipt})


async def create(info: Info, kind: RecordKind[Any], input: Any, payload: Callable[[Written[Any]], P]) -> P:
    """Stores one record."""
    written = await create_record(info.context.deps, info.context.caller, kind, sent(input))
    info.context.forget()
    return payload(written)


async def create_many(
    info: Info,
    kind: RecordKind[Any],
    inputs: Sequence[Any],
    payload: Callable[[Written[Any]], P],
    *,
    atomic: bool | None,
) -> list[P | UserError]:
    """Stores many records, each with its own result."""
    outcomes = await create_records(
        info.context.deps, info.context.caller, kind, batch(info, inputs), atomic=bool(atomic)
    )
    info.context.forget()
    return [result_of(info, outcome, payload) for outcome in outcomes]


async def update(
    info: Info,
    kind: RecordKind[Any],
    input: Any,
    payload: Callable[[Written[Any]], P],
    *,
    key: str,
) -> P:
    """Changes one record, named by its global id or by the input field `key`."""
    given = sent(input)
    record = record_key(kind, given.pop("id", None), given.pop(key, None))
    expected_version = given.pop("expected_version", None)
    written = await update_record(
        info.context.deps, info.context.caller, kind, record, given, expected_version
    )
    info.context.forget()
    return payload(written)
