"""The schema: where the resources meet."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from datastorage.domain import remediation as records
from datastorage.errors import InvalidInput
from datastorage.graphql.arguments import GlobalId
from datastorage.graphql.context import Info
from datastorage.graphql.errors import HANDLERS, ErrorPresentation, UserError
from datastorage.graphql.node import Node, split_global_id
from datastorage.graphql.remediation.mutations import RemediationMutations
from datastorage.graphql.remediation.queries import RemediationQueries
from datastorage.graphql.scalars import SCALARS
from datastorage.graphql.similarity.queries import SimilarityQueries
from datastorage.graphql.view import view
from datastorage.services.records import RecordKey, get_record


async def node(info: Info, id: GlobalId) -> records.RemediationAudit | None:
    """Any record by its global id."""
    type_name, number = split_global_id(id)
    if type_name != "RemediationAudit":
        raise InvalidInput.single("id", f"belongs to a {type_name}, which is no type of this service")
    return await get_record(info.context.deps, info.context.caller, records.REMEDIATION, RecordKey(id=number))


@strawberry.type(description="What can be asked.")
class Query(RemediationQueries, SimilarityQueries):
    """All queries."""

    node: Node | None = view(node, "Any record by its global id; null if there is none.")


@strawberry.type(description="What can be written.")
class Mutation(RemediationMutations):
    """All mutations."""


class Schema(strawberry.Schema):
    """Strawberry's schema, without its own logging of errors: ours has ids, and leaves out refused requests."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Errors are logged where they are presented."""


def build_schema() -> Schema:
    """The one schema of this service."""
    return Schema(
        query=Query,
        mutation=Mutation,
        types=[UserError],
        extensions=[ErrorPresentation],
        exception_handlers=HANDLERS,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
