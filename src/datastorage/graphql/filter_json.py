"""The filter of remediation audits as the command line takes it: JSON, read just as a variable of a query would be."""

from __future__ import annotations

from typing import Any, Final, cast

import orjson
from graphql import GraphQLError, OperationDefinitionNode, parse
from graphql.execution.values import get_variable_values
from strawberry.types.arguments import convert_argument

from datastorage.domain.filters import Filter
from datastorage.errors import InvalidInput
from datastorage.graphql.coercion import input_fault
from datastorage.graphql.filters import to_filter
from datastorage.graphql.remediation.inputs import RemediationAuditFilter
from datastorage.graphql.schema import build_schema

_QUESTION: Final = "query ($filter: RemediationAuditFilter!) { __typename }"


def remediation_filter(text: str) -> Filter:
    """The filter that a JSON text stands for. Errors: InvalidInput with every fault."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput.single("filter", f"is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise InvalidInput.single("filter", "is no JSON object")
    _refuse_nulls(given, "filter")
    schema = build_schema()
    question = cast("OperationDefinitionNode", parse(_QUESTION).definitions[0])
    read = get_variable_values(
        schema._schema,  # noqa: SLF001 -- Strawberry has no public name for it
        question.variable_definitions or (),
        {"filter": given},
    )
    if isinstance(read, list):
        raise _refused(read)
    scalars = schema.schema_converter.scalar_registry
    return to_filter(convert_argument(read.coerced["filter"], RemediationAuditFilter, scalars, schema.config))


def _refuse_nulls(given: Any, place: str) -> None:
    """A query's null asks for nothing, as an empty field of a dashboard does; a script's may be its fault."""
    if given is None:
        raise InvalidInput.single(place, "is null; leave it out, or say what it is to be compared with")
    if isinstance(given, dict):
        for name, value in given.items():
            if name not in ("contains", "eq", "ne", "in", "notIn"):  # JSON values may hold null
                _refuse_nulls(value, f"{place}.{name}")
    elif isinstance(given, list):
        for item in given:
            _refuse_nulls(item, place)


def _refused(errors: list[GraphQLError]) -> InvalidInput:
    faults: list[Any] = []
    for error in errors:
        message, fault = input_fault(error)
        faults += [fault] if fault else InvalidInput.single("filter", message).faults
    return InvalidInput(faults)
