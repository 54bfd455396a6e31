"""The table of each kind of record, and the statements that follow from it; compiled once per process."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Column, Table, bindparam, func, update

from datastorage.domain.analysis import ANALYSIS
from datastorage.domain.event import EVENT
from datastorage.domain.execution import EXECUTION
from datastorage.domain.kind import RecordKind
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.workflow import WORKFLOW
from datastorage.models import (
    ai_analysis_audit,
    execution_audit,
    remediation_audit,
    remediation_event,
    workflow_audit,
)
from datastorage.repositories.bulk import insert_rows

SET_BY_DATABASE: Final = ("version", "created_at", "updated_at")


class RecordTable:
    """A table that holds one kind of record."""

    def __init__(self, kind: RecordKind[Any], table: Table) -> None:
        self.kind, self.table = kind, table
        self.key: Column[Any] = table.c[kind.key]
        self.record_columns = tuple(table.c[name] for name in kind.record.__dataclass_fields__)
        self.inserted = tuple(column.name for column in table.c if column.name not in SET_BY_DATABASE)
        # Columns that are neither sent nor part of the record, such as the hash of the embedded text.
        self.hidden = tuple(name for name in self.inserted if name not in kind.record.__dataclass_fields__)
        self.changed = (*kind.mutable, *kind.derived, *self.hidden)
        self.insert = (
            insert_rows(table, self.inserted)
            .on_conflict_do_nothing(index_elements=[kind.key])
            .returning(*self.record_columns)
        )
        if kind.mutable:
            self.update = (
                update(table)
                .where(table.c.id == bindparam("row_id"))
                .values({name: bindparam(f"new_{name}") for name in self.changed})
                .values(version=table.c.version + 1, updated_at=func.clock_timestamp())
                .returning(*self.record_columns)
            )


RECORD_TABLES: Final[Mapping[str, RecordTable]] = MappingProxyType(
    {
        record_table.kind.type_name: record_table
        for record_table in (
            RecordTable(REMEDIATION, remediation_audit),
            RecordTable(ANALYSIS, ai_analysis_audit),
            RecordTable(WORKFLOW, workflow_audit),
            RecordTable(EXECUTION, execution_audit),
            RecordTable(EVENT, remediation_event),
        )
    }
)


def table_of(kind: RecordKind[Any]) -> RecordTable:
    """Where the records of a kind are kept."""
    return RECORD_TABLES[kind.type_name]
