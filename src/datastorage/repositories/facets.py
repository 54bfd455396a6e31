"""Values of columns with their counts, for filter bars; all columns in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Row, Select, Text, cast, func, select, tuple_

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Scope
from datastorage.domain.filters import Filter
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.statistics import Facet, FacetValue, RemediationGroupField
from datastorage.models import remediation_audit
from datastorage.repositories.records import matching


class Facets:
    """The values that a caller can see."""

    def __init__(self, session: ReadSession, scope: Scope) -> None:
        self._session, self._scope = session, scope

    async def most_frequent(
        self, fields: Sequence[RemediationGroupField], where: Filter, values_max: int
    ) -> list[Facet]:
        """The facets of these fields, in their order."""
        found: dict[int, list[Row[Any]]] = {}
        for row in await self._session.execute(self._statement(fields, where, values_max)):
            found.setdefault(row.left_out, []).append(row)
        return [_facet(field, found.get(_left_out(fields, field), ())) for field in fields]

    def _statement(
        self, fields: Sequence[RemediationGroupField], where: Filter, values_max: int
    ) -> Select[Any]:
        columns = [remediation_audit.c[field] for field in fields]
        value = func.coalesce(*(cast(column, Text) for column in columns))  # all others are null in this set
        counted = (
            select(
                func.grouping(*columns).label("left_out"),
                value.collate("C").label("value"),
                func.count().label("rows"),
            )
            .where(matching(REMEDIATION, where, self._scope))
            .group_by(func.grouping_sets(*(tuple_(column) for column in columns)))
            .subquery("counted")
        ).c
        frequent_first = (counted.rows.desc(), counted.value)
        ranked = select(
            counted.left_out,
            counted.value,
            counted.rows,
            func.row_number().over(partition_by=counted.left_out, order_by=frequent_first).label("rank"),
            func.count().over(partition_by=counted.left_out).label("distinct_count"),
            cast(func.sum(counted.rows).over(partition_by=counted.left_out), BigInteger).label("all_rows"),
        ).subquery("ranked")
        return select(ranked).where(ranked.c.rank <= values_max).order_by(ranked.c.left_out, ranked.c.rank)


def _left_out(fields: Sequence[RemediationGroupField], field: RemediationGroupField) -> int:
    """What PostgreSQL's grouping() says of a field's set: a bit for each other field, the last one lowest."""
    everything = (1 << len(fields)) - 1
    return everything - (1 << (len(fields) - 1 - fields.index(field)))


def _facet(field: RemediationGroupField, rows: Sequence[Row[Any]]) -> Facet:
    if not rows:
        return Facet(field, (), 0, 0)
    values = [FacetValue(field.spelled(row.value), row.rows) for row in rows]
    listed = sum(value.count for value in values)
    return Facet(field, values, rows[0].distinct_count, rows[0].all_rows - listed)
