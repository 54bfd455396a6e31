"""Arguments that statistics share, described once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from datastorage.graphql.statistics.enums import RemediationGroupField

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
