"""What all four audits have in common in the API: their ids, and the way to what belongs to the same remediation."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from datastorage.domain.kind import RecordKind
from datastorage.domain.relation import Relation
from datastorage.graphql.connection import Connection
from datastorage.graphql.node import Node, global_id
from datastorage.graphql.relation import connection
from datastorage.graphql.scalars import BigInt, JSONObject
from datastorage.graphql.similar import similar
from datastorage.graphql.view import view

if TYPE_CHECKING:
    from datastorage.graphql.analysis.types import AiAnalysisAudit
    from datastorage.graphql.event.types import RemediationEvent
    from datastorage.graphql.execution.types import ExecutionAudit
    from datastorage.graphql.similarity.types import SimilarIncidents
    from datastorage.graphql.workflow.types import WorkflowAudit

LazyAnalysis = Annotated["AiAnalysisAudit", strawberry.lazy("datastorage.graphql.analysis.types")]
LazyWorkflow = Annotated["WorkflowAudit", strawberry.lazy("datastorage.graphql.workflow.types")]
LazyExecution = Annotated["ExecutionAudit", strawberry.lazy("datastorage.graphql.execution.types")]
LazySimilarIncidents = Annotated["SimilarIncidents", strawberry.lazy("datastorage.graphql.similarity.types")]
LazyEvent = Annotated["RemediationEvent", strawberry.lazy("datastorage.graphql.event.types")]


def database_id(root: strawberry.Parent[Any]) -> BigInt:
    """The number."""
    return BigInt(root.id)


def node_id(kind: RecordKind[Any]) -> Any:
    """The field with the global id of a record of this kind."""

    def resolve(root: strawberry.Parent[Any]) -> strawberry.ID:
        return global_id(kind.type_name, root.id)

    return strawberry.field(resolver=resolve, description="Opaque id, unique over all types.")


@strawberry.interface(description="What all audits have in common.")
class Audit(Node):
    """A record of the audit store."""

    database_id: BigInt = strawberry.field(resolver=database_id, description="Its number in the database.")
    metadata: JSONObject = strawberry.field(description="Anything else that was sent.")
    created_at: datetime = strawberry.field(description="When it was stored.")
    analyses: Connection[LazyAnalysis] = connection(
        Relation.ANALYSES, "Analyses of the same remediation, newest first.", newest_by="created_at"
    )
    workflows: Connection[LazyWorkflow] = connection(
        Relation.WORKFLOWS, "Workflows of the same remediation, newest first.", newest_by="start_time"
    )
    executions: Connection[LazyExecution] = connection(
        Relation.EXECUTIONS,
        "Executions of the same remediation, also those of its workflows, newest first.",
        newest_by="start_time",
    )
    events: Connection[LazyEvent] = connection(
        Relation.EVENTS,
        "What happened to the records of the same remediation, newest first.",
        newest_by="recorded_at",
    )
    similar: LazySimilarIncidents = view(
        similar,
        "Incidents that resemble that of this record, itself left out; its start counts as the time. Nothing "
        "until its remediation has arrived.",
    )
