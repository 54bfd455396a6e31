"""A field's resolver as one function, with Strawberry's extensions around it and its errors turned into results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, cast

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema.exception_handlers import ExceptionHandler
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from datastorage.graphql.compiled.unsupported import Unsupported
from datastorage.graphql.view import ASKS_ALL

Ask = Callable[[Any, strawberry.Info[Any, None], dict[str, Any]], Any]


class Resolver:
    """How a field's resolver is asked. Errors: Unsupported."""

    def __init__(self, field: StrawberryField) -> None:
        resolver = field.base_resolver
        if resolver is None or resolver.self_parameter:
            raise Unsupported("nothing to ask")
        self.is_async = resolver.is_async
        self._function = cast("Callable[..., Any]", resolver.wrapped_func)
        record = resolver.parent_parameter or resolver.root_parameter
        self._record, self._info = (each.name if each else None for each in (record, resolver.info_parameter))
        self.ask: Ask = self._extended(field.extensions) if field.extensions else self._asked
        self.ask_all: Callable[..., Awaitable[Sequence[Any]]] | None = field.metadata.get(ASKS_ALL)

    def _asked(self, source: Any, info: strawberry.Info[Any, None], arguments: dict[str, Any]) -> Any:
        if self._record is not None:
            arguments[self._record] = source
        if self._info is not None:
            arguments[self._info] = info
        return self._function(**arguments)

    def _extended(self, extensions: list[FieldExtension]) -> Ask:
        """With what Strawberry has around it."""

        async def innermost(source: Any, info: strawberry.Info[Any, None], **arguments: Any) -> Any:
            return await self._asked(source, info, arguments)

        chained: Callable[..., Awaitable[Any]] = innermost
        for extension in extensions:  # the last one is the outermost, as Strawberry has it
            maps = type(extension).map_arguments is not FieldExtension.map_arguments
            if maps or not (self.is_async and extension.supports_async):
                raise Unsupported(type(extension).__name__)
            chained = partial(extension.resolve_async, chained)
        return lambda source, info, arguments: chained(source, info, **arguments)


class ResultsOfErrors:
    """What a field answers instead of the errors that its type has members for."""

    def __init__(self, converter: GraphQLCoreConverter, field: StrawberryField) -> None:
        self._field = field
        self._handlers: tuple[tuple[tuple[type[Exception], ...], ExceptionHandler[Any]], ...]
        self._handlers = converter._get_field_exception_handlers(field)  # noqa: SLF001 -- no public way
        self._raised = tuple(raised for kinds, _ in self._handlers for raised in kinds)
        self.are_there = bool(self._handlers)

    async def instead_of_errors(self, answer: Awaitable[Any], info: strawberry.Info[Any, None]) -> Any:
        """The answer, or the result of its error. Errors: those that no handler takes."""
        try:
            return await answer
        except self._raised as error:
            for kinds, handler in self._handlers:
                if isinstance(error, kinds):
                    result = handler.handle(error, field=self._field, info=info)
                    if result is not None:
                        return result
                    break
            raise
