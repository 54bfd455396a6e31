"""Arguments that statistics share, described once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import strawberry

from datastorage.graphql.statistics.enums import RemediationGroupField

if TYPE_CHECKING:
    from datastorage.graphql.remediation.inputs import RemediationAuditFilter
else:  # an alias cannot hold Annotated[…, strawberry.lazy(…)], which is understood only where it is written
    RemediationAuditFilter = strawberry.LazyType(
        "RemediationAuditFilter", "datastorage.graphql.remediation.inputs"
    )

Where: TypeAlias = Annotated[
    RemediationAuditFilter | None,
    strawberry.argument(description="Which remediation audits; all of them by default."),
]
GroupBy: TypeAlias = Annotated[
    list[RemediationGroupField] | None,
    strawberry.argument(description="One group for each combination of values of these fields, at most 5."),
]
From: TypeAlias = Annotated[
    datetime | None,
    strawberry.argument(name="from", description="Only what started at this time or later."),
]
To: TypeAlias = Annotated[
    datetime | None, strawberry.argument(name="to", description="Only what started before this time.")
]
Timezone: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="IANA name of the time zone of the buckets, such as `Europe/Berlin`."),
]
