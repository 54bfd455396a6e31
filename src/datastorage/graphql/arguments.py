"""Arguments that many fields share, described once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import strawberry

from datastorage.graphql.enums import TextFormat

if TYPE_CHECKING:
    from datastorage.graphql.remediation.inputs import RemediationAuditFilter
else:  # an alias cannot hold Annotated[…, strawberry.lazy(…)], which is understood only where it is written
    RemediationAuditFilter = strawberry.LazyType(
        "RemediationAuditFilter", "datastorage.graphql.remediation.inputs"
    )

First: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Rows from the start, 1 to 100; 20 by default.")
]
Last: TypeAlias = Annotated[int | None, strawberry.argument(description="Rows from the end, 1 to 100.")]
After: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Cursor that the page starts after; goes with `first`.")
]
Before: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Cursor that the page ends before; goes with `last`.")
]
Cap: TypeAlias = Annotated[int | None, strawberry.argument(description="Count no further than this.")]
GlobalId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Global id of the record.")]
OptionalGlobalId: TypeAlias = Annotated[
    strawberry.ID | None, strawberry.argument(description="Global id of the record.")
]
RequestId: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Remediation request id, the natural key.")
]
Format: TypeAlias = Annotated[TextFormat, strawberry.argument(description="PLAIN as stored, or HTML.")]
Atomic: TypeAlias = Annotated[
    bool | None, strawberry.argument(description="Store all of them or, if one is refused, none.")
]
WhichRemediations: TypeAlias = Annotated[
    RemediationAuditFilter | None,
    strawberry.argument(description="Which remediation audits; all of them by default."),
]
AmongIncidents: TypeAlias = Annotated[
    RemediationAuditFilter | None,
    strawberry.argument(description="Which incidents to look among; all of them by default."),
]
