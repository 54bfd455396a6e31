"""The schema: where the resources meet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import get_object_definition

from datastorage.domain.event import EVENT
from datastorage.domain.kind import RecordKind
from datastorage.domain.kinds import KINDS
from datastorage.errors import InvalidInput
from datastorage.graphql.access.queries import AccessQueries
from datastorage.graphql.analysis.mutations import AnalysisMutations
from datastorage.graphql.analysis.queries import AnalysisQueries
from datastorage.graphql.arguments import GlobalId
from datastorage.graphql.context import Info
from datastorage.graphql.deadline import within_deadline
from datastorage.graphql.errors import HANDLERS, ErrorPresentation, UserError
from datastorage.graphql.execution.mutations import ExecutionMutations
from datastorage.graphql.execution.queries import ExecutionQueries
from datastorage.graphql.node import Node, split_global_id
from datastorage.graphql.noted import noted
from datastorage.graphql.query_limits import QueryLimits, limited
from datastorage.graphql.recommendation.queries import RecommendationQueries
from datastorage.graphql.remediation.feedback import FeedbackMutations
from datastorage.graphql.remediation.mutations import RemediationMutations
from datastorage.graphql.remediation.queries import RemediationQueries
from datastorage.graphql.remediation.upserts import UpsertMutations
from datastorage.graphql.remediation.validation import ValidationQueries
from datastorage.graphql.scalars import SCALARS
from datastorage.graphql.similarity.queries import SimilarityQueries
from datastorage.graphql.statistics.queries import StatisticsQueries
from datastorage.graphql.system.queries import SystemQueries
from datastorage.graphql.timeline.queries import TimelineQueries
from datastorage.graphql.view import view
from datastorage.graphql.workflow.mutations import WorkflowMutations
from datastorage.graphql.workflow.queries import WorkflowQueries
from datastorage.services.records import RecordKey, get_record

NODES: Final[Mapping[str, RecordKind[Any]]] = MappingProxyType(
    {kind.type_name: kind for kind in (*KINDS, EVENT)}
)


async def node(info: Info, id: GlobalId) -> Any:
    """Any record by its global id."""
    type_name, number = split_global_id(id)
    kind = NODES.get(type_name)
    if kind is None:
        raise InvalidInput.single("id", f"belongs to a {type_name}, which is no type of this service")
    return await get_record(info.context.deps, info.context.caller, kind, RecordKey(id=number))


@strawberry.type(description="What can be asked.")
class Query(
    RemediationQueries,
    ValidationQueries,
    AnalysisQueries,
    WorkflowQueries,
    ExecutionQueries,
    TimelineQueries,
    SimilarityQueries,
    RecommendationQueries,
    StatisticsQueries,
    SystemQueries,
    AccessQueries,
):
    """All queries."""

    node: Node | None = view(node, "Any record by its global id; null if there is none.")


@strawberry.type(description="What can be written.")
class Mutation(
    RemediationMutations,
    UpsertMutations,
    FeedbackMutations,
    AnalysisMutations,
    WorkflowMutations,
    ExecutionMutations,
):
    """All mutations."""


within_deadline(get_object_definition(Mutation, strict=True).fields)
noted(
    get_object_definition(Mutation, strict=True).fields, mutations=True
)  # also of what became of a late one


class Schema(strawberry.Schema):
    """Strawberry's schema, without its own logging of errors: ours has ids, and leaves out refused requests."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Errors are logged where they are presented."""


def build_schema(
    limits: QueryLimits = QueryLimits(),  # noqa: B008 -- a frozen value
    *,
    queries_noted: bool = False,
) -> Schema:
    """The one schema of this service; whether queries too are noted in the access audit."""
    if queries_noted:
        noted(get_object_definition(Query, strict=True).fields, mutations=False)
    return Schema(
        query=Query,
        mutation=Mutation,
        types=[UserError],
        extensions=[ErrorPresentation, limited(limits)],
        exception_handlers=HANDLERS,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
