"""Stale remediations: work that was begun, or only asked for, and never reached an end."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from datastorage.domain.enums import Phase
from datastorage.domain.filters import AllOf, Condition, Filter, Operator
from datastorage.domain.paging import Order, OrderTerm

OLDEST_FIRST: Final[Order] = (OrderTerm("start_time"), OrderTerm("id"))


def stale(older_than: datetime, where: Filter) -> Filter:
    """Of these remediations, those that started before a time and have not ended."""
    unended = Condition("phase", Operator.IN, (Phase.PENDING, Phase.PROCESSING))
    return AllOf((unended, Condition("start_time", Operator.LT, older_than), where))
