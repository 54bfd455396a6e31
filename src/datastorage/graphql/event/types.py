"""Events of the log as clients see them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from datastorage.domain import event as records
from datastorage.graphql.audit import node_id
from datastorage.graphql.enums import EventKind, SubjectKind
from datastorage.graphql.node import Node
from datastorage.graphql.scalars import JSONObject


@strawberry.type(description="Something that happened to a record; written with it, never changed.")
class RemediationEvent(Node):
    """A view of `domain.event.RemediationEvent`."""

    id: strawberry.ID = node_id(records.EVENT)
    remediation_request_id: str | None = strawberry.field(
        description="Remediation that the record belongs to."
    )
    subject_kind: SubjectKind = strawberry.field(description="Kind of record.")
    subject_key: str = strawberry.field(description="Natural key of the record.")
    version: int = strawberry.field(description="Version of the record that it led to.")
    kind: EventKind = strawberry.field(description="What happened.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")
    actor: str = strawberry.field(description="Who did it, as authenticated.")
    declared_actor: str | None = strawberry.field(description="Who did it, as the client says.")
    namespace: str | None = strawberry.field(description="Kubernetes namespace.")
    cluster_name: str | None = strawberry.field(description="Kubernetes cluster.")
    changes: JSONObject = strawberry.field(
        description="CREATED: the whole record by column name. Changes: `old` and `new` of each field. "
        "FEEDBACK_RECORDED: `similar_to`, `helpful` and `note`."
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Records of the domain are its values."""
        return isinstance(value, records.RemediationEvent)
