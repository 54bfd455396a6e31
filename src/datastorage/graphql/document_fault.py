"""Whether a document that will be executed some day is one of this schema. Called when trusted documents are loaded."""

from __future__ import annotations

from graphql import GraphQLError, parse, validate
from strawberry import Schema


def document_fault(schema: Schema, document: str) -> str | None:
    """The first thing that is wrong with a document; None if nothing is."""
    try:
        faults = validate(schema._schema, parse(document), max_errors=1)  # noqa: SLF001 -- Strawberry has no public way
    except GraphQLError as error:
        return error.message
    return faults[0].message if faults else None
