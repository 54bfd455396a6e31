"""Differences between the tables in the code and those in a database: `datastorage migrate --check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

from datastorage.db.direct_connection import direct_connection
from datastorage.db.faults import reason
from datastorage.errors import StartupError

PLUGINS: Final = ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"]


async def drift(url: URL, metadata: MetaData) -> list[str]:
    """A line for each difference; none when the tables are as the code says. Errors: StartupError.

    Tables that the code does not know belong to others, and are none of our business.
    """

    def compare(connection: Connection) -> list[str]:
        context = MigrationContext.configure(connection, opts=comparison(connection, metadata))
        return list(_described(compare_metadata(context, metadata)))

    async with direct_connection(url) as connection:
        try:
            return await connection.run_sync(compare)
        except DBAPIError as error:
            raise StartupError(f"the tables cannot be compared ({reason(error)})") from error


def comparison(connection: Connection, metadata: MetaData) -> dict[str, Any]:
    """Alembic's options for comparing; also for `alembic revision --autogenerate`."""
    # Types that SQLAlchemy does not know would be skipped with a warning.
    dialect = cast("PGDialect", connection.dialect)
    dialect.ischema_names = {**dialect.ischema_names, **_own_types(metadata)}
    return {"autogenerate_plugins": PLUGINS, "compare_server_default": True, "include_name": _include_name}


def _own_types(metadata: MetaData) -> dict[str, type]:
    columns = (column for table in metadata.tables.values() for column in table.columns)
    own = (column.type for column in columns if isinstance(column.type, UserDefinedType))
    return {kind.get_col_spec().split("(")[0]: type(kind) for kind in own}


def _include_name(name: str | None, kind: str, _parents: object) -> bool:
    # Indexes made while running, for further models, are no drift.
    return not (kind == "index" and name is not None and name.startswith("hnsw_model_"))


def _described(differences: Iterable[Any]) -> Iterator[str]:
    for difference in differences:
        if isinstance(difference, list):  # what changed in one column
            for kind, _, table, column, _, found, wanted in difference:
                what = kind.removeprefix("modify_")
                yield f"{table}.{column}: {what} is {_shown(found)}, should be {_shown(wanted)}"
        elif difference[0] != "remove_table":
            action, what = difference[0].split("_", 1)
            subject = difference[-1]
            table = subject if what == "table" else subject.table
            yield f"{table.name}: {'lacks' if action == 'add' else 'has an unknown'} {what} {subject.name}"


def _shown(value: Any) -> str:
    return str(getattr(value, "arg", value))  # a default carries its SQL as `arg`
