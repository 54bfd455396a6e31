"""A field's resolver as one function, with Strawberry's extensions around it and its errors turned into results."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema.exception_handlers import ExceptionHandler
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from datastorage.graphql.compiled.unsupported import Unsupported

Resolve = Callable[[Any, strawberry.Info[Any, None], dict[str, Any]], Awaitable[Any]]


def resolving(field: StrawberryField) -> Resolve:
    """Asks with a record, the field's description and arguments. Errors: Unsupported, for what is not awaited."""
    resolver = field.base_resolver
    if resolver is None or not resolver.is_async or resolver.self_parameter:
        raise Unsupported("nothing to wait for")
    function = cast("Callable[..., Awaitable[Any]]", resolver.wrapped_func)
    record = resolver.parent_parameter or resolver.root_parameter
    record_name, info_name = (each.name if each else None for each in (record, resolver.info_parameter))

    def resolve(source: Any, info: strawberry.Info[Any, None], arguments: dict[str, Any]) -> Awaitable[Any]:
        if record_name is not None:
            arguments[record_name] = source
        if info_name is not None:
            arguments[info_name] = info
        return function(**arguments)

    return _extended(resolve, field.extensions) if field.extensions else resolve


def _extended(resolve: Resolve, extensions: list[FieldExtension]) -> Resolve:
    async def innermost(source: Any, info: strawberry.Info[Any, None], **arguments: Any) -> Any:
        return await resolve(source, info, arguments)

    chained: Callable[..., Awaitable[Any]] = innermost
    for extension in extensions:  # the last one is the outermost, as Strawberry has it
        if type(extension).map_arguments is not FieldExtension.map_arguments or not extension.supports_async:
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
