"""Refuses operations that are too large before they are validated. An extension of the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError, NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext
from strawberry.types import ExecutionResult as StrawberryResult

from datastorage.graphql.context import Context
from datastorage.graphql.hidden_schema import without_the_schema
from datastorage.graphql.input_size import InputSize, SentVariables
from datastorage.graphql.query_size import QuerySize, TooDeep, chosen, measured
from datastorage.limits import (
    ANSWER_KIBIBYTES_MAX,
    QUERY_ALIASES_MAX,
    QUERY_COST_MAX,
    QUERY_DEPTH_MAX,
    QUERY_FIELDS_MAX,
    QUERY_FRAGMENTS_WITHIN_MAX,
    QUERY_OBJECTS_MAX,
    QUERY_TOKENS_MAX,
    QUERY_VALUES_MAX,
)

ADVICE: Final = {
    "depth": "ask for less at once",
    "fields": "ask for less at once",
    "aliases": "send several requests",
    "cost": "ask for smaller pages or fewer levels",
    "objects": "send less at once",
    "values": "send less at once",
    "kibibytes": "ask for smaller pages, or for less JSON and text",
}
TOO_DEEP: Final = GraphQLError(
    f"the operation has more than {QUERY_FRAGMENTS_WITHIN_MAX} fragments within each other: spread them in fewer levels",
    extensions={"code": "COST_EXCEEDED", "limit": "fragments", "max": QUERY_FRAGMENTS_WITHIN_MAX},
)


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one operation may be at most."""

    tokens: int = QUERY_TOKENS_MAX
    depth: int = QUERY_DEPTH_MAX
    fields: int = QUERY_FIELDS_MAX
    aliases: int = QUERY_ALIASES_MAX
    cost: int = QUERY_COST_MAX
    objects: int = QUERY_OBJECTS_MAX
    values: int = QUERY_VALUES_MAX
    kibibytes: int = ANSWER_KIBIBYTES_MAX
    introspection: bool = True  # whether it may ask for the schema, and errors may suggest names of it


class LimitQueries(SchemaExtension):
    """Before validation, whose own time grows faster than the operation does."""

    limits: QueryLimits = QueryLimits()

    def on_operation(self) -> Iterator[None]:
        """Sets the bound for the parser, which stops there; hides the schema where it is to be hidden."""
        context = self.execution_context
        context.parse_options["max_tokens"] = self.limits.tokens
        if self.limits.introspection:
            yield
            return
        context.validation_rules += (NoSchemaIntrospectionCustomRule,)
        yield
        result = context.result
        if isinstance(result, ExecutionResult | StrawberryResult) and result.errors:
            result.errors = without_the_schema(result.errors)

    def on_validate(self) -> Iterator[None]:
        """Strawberry validates only what has no errors so far."""
        context = self.execution_context
        if context.graphql_document is not None and context.pre_execution_errors is None:
            context.pre_execution_errors = self._refused(context) or None
        yield

    def _refused(self, context: ExecutionContext) -> list[GraphQLError]:
        schema, document = context.schema._schema, context.graphql_document  # noqa: SLF001 -- Strawberry has no public way
        name = context._provided_operation_name  # noqa: SLF001 -- the public one needs a valid document
        variables = context.variables or {}
        if document is None:
            return []
        try:
            size = measured(schema, document, name, variables)
        except TooDeep:
            return [TOO_DEEP]
        if isinstance(context.context, Context):  # nobody may have asked for an answer
            context.context.cost = size.cost
        return refusals(size, self.limits) + [
            refusal
            for operation in chosen(document, name)
            for refusal in input_refusals(
                SentVariables(schema, operation.variable_definitions or ()), variables, self.limits
            )
        ]


def refusals(size: QuerySize | InputSize, limits: QueryLimits) -> list[GraphQLError]:
    """One error for each limit that is exceeded."""
    return [
        _refusal(name, found, bound)
        for name in size.__slots__
        if (found := getattr(size, name)) > (bound := getattr(limits, name))
    ]


def input_refusals(
    sent: SentVariables, variables: Mapping[str, Any], limits: QueryLimits
) -> list[GraphQLError]:
    """The same for what is sent as variables."""
    return refusals(sent.measured(variables, InputSize(limits.objects, limits.values)), limits)


def _refusal(name: str, found: int, bound: int) -> GraphQLError:
    whose = "answer may have" if name == "kibibytes" else "operation has"
    message = (
        f"the {whose} {found:,} {name}, {bound:,} are allowed: {ADVICE[name]}"
        if name.endswith("s")
        else f"the {name} of the operation is {found:,}, {bound:,} is allowed: {ADVICE[name]}"
    )
    return GraphQLError(
        message, extensions={"code": "COST_EXCEEDED", "limit": name, "found": found, "max": bound}
    )


def limited(limits: QueryLimits) -> type[LimitQueries]:
    """The extension with limits of its own; Strawberry makes one for every request."""
    return type("LimitQueries", (LimitQueries,), {"limits": limits})
