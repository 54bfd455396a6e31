"""A caller's scope as a clause."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, true

from datastorage.domain.caller import Scope


def visible(table: FromClause, scope: Scope) -> ColumnElement[bool]:
    """True for the rows that the caller may see; rows without a namespace only when unscoped."""
    clauses = []
    if scope.namespaces is not None:
        clauses.append(table.c.namespace.in_(sorted(scope.namespaces)))
    if scope.clusters is not None:
        clauses.append(table.c.cluster_name.in_(sorted(scope.clusters)))
    return and_(*clauses) if clauses else true()
