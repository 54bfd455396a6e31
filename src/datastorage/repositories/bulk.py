"""Inserts of many rows as one statement of constant shape: an array per column, unnested.

Whatever the number of rows, the statement's text is the same, so it is compiled and prepared once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert


def insert_rows(table: Table, columns: Sequence[str]) -> Insert:
    """INSERT … SELECT FROM unnest(:column, …); add ON CONFLICT and RETURNING as needed."""
    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in columns]
    rows = func.unnest(*arrays).table_valued(*(column(name, table.c[name].type) for name in columns))
    rows = rows.render_derived(name="rows")
    return insert(table).from_select(list(columns), select(*(rows.c[name] for name in columns)))


def arrays(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, list[Any]]:
    """Rows turned into one list per column."""
    return {name: [row[name] for row in rows] for name in columns}
