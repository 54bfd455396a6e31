"""Root fields whose answering is noted in the access audit: who, what, and what became of it. Put on by `schema`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver
from strawberry.types.field import StrawberryField

from datastorage.domain.access import AccessOutcome
from datastorage.errors import DataStorageError, Forbidden, Unavailable
from datastorage.graphql.context import Context
from datastorage.graphql.enums import ErrorCode
from datastorage.graphql.errors import UserError
from datastorage.services.access.trail import FIELD

# What names the record that a field is about: of its arguments, or of its input.
KEYS: Final = (
    "execution_id",
    "workflow_id",
    "analysis_id",
    "remediation_request_id",
    "request_id",
    "id",
)


def noted(fields: Iterable[StrawberryField], *, mutations: bool) -> None:
    """Has the answering of these root fields noted, once however often it is asked for."""
    for field in fields:
        if not any(isinstance(extension, Noted) for extension in field.extensions):
            field.extensions.append(Noted(mutations=mutations))


class Noted(FieldExtension):
    """Around one root field. Denials are noted by whoever denies; here they learn what the field is."""

    def __init__(self, *, mutations: bool) -> None:
        self._mutations = mutations

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: strawberry.Info[Context, None], **kwargs: Any
    ) -> Any:
        """Answers as the field does."""
        before = FIELD.set(info.field_name)
        try:
            result = await next_(source, info, **kwargs)
        except Forbidden:
            raise
        except Exception as error:
            self._note(info, kwargs, *_of_error(error))
            raise
        else:
            self._note(info, kwargs, *_of_result(result))
            return result
        finally:
            FIELD.reset(before)

    def _note(
        self,
        info: strawberry.Info[Context, None],
        arguments: dict[str, Any],
        outcome: AccessOutcome,
        reason: str | None,
    ) -> None:
        trail = info.context.deps.trail
        if trail.of_mutations if self._mutations else trail.of_queries:
            trail.note(
                info.context.caller,
                outcome,
                field=info.field_name,
                subject=_subject(arguments),
                reason=reason,
            )


def _of_error(error: Exception) -> tuple[AccessOutcome, str]:
    name = type(error).__name__
    if isinstance(error, DataStorageError) and not isinstance(error, Unavailable):
        return AccessOutcome.REFUSED, name
    return AccessOutcome.FAILED, name


def _of_result(result: Any) -> tuple[AccessOutcome, str | None]:
    """A batch is one access; how its items fared is its reason."""
    if not isinstance(result, list):
        return AccessOutcome.ALLOWED, None
    codes = Counter(item.code.value if isinstance(item, UserError) else "stored" for item in result)
    told = ", ".join(f"{count} {code}" for code, count in sorted(codes.items()))
    if not codes or "stored" in codes:
        return AccessOutcome.ALLOWED, told
    if set(codes) == {ErrorCode.FORBIDDEN.value}:
        return AccessOutcome.DENIED, told
    return (AccessOutcome.FAILED if ErrorCode.UNAVAILABLE.value in codes else AccessOutcome.REFUSED), told


def _subject(arguments: dict[str, Any]) -> str | None:
    sent = arguments.get("input")
    for name in KEYS:
        value = arguments.get(name, getattr(sent, name, None))
        if isinstance(value, str):
            return value
    return None
