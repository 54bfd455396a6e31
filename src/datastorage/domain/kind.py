"""What distinguishes the four audits for everything that treats them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from datastorage.domain.enums import SubjectKind
from datastorage.domain.names import camel


class Record(Protocol):
    """What every stored audit has."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def remediation_request_id(self) -> str | None:
        """The remediation it belongs to."""

    @property
    def namespace(self) -> str | None:
        """Where it happened; rows without it are seen by unscoped callers only."""

    @property
    def cluster_name(self) -> str | None:
        """Where it happened."""


R = TypeVar("R", bound=Record)

Wanted: TypeAlias = frozenset[str] | None
"""The attributes of a record that somebody will read; None: any of them, so that all are needed."""


def _nothing(_: object) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind(Generic[R]):
    """One kind of audit."""

    subject: SubjectKind
    type_name: str  # in the API; JSONL names it uncapitalised
    label: str  # in messages
    key: str  # column of the natural key
    record: type[R]
    parse: Callable[[Mapping[str, Any]], Any]  # raw values → draft; InvalidInput with every fault
    draft_fields: tuple[str, ...]  # columns that follow from a draft
    newest_by: str = "start_time"  # the column of the default order, newest first
    input_fields: tuple[str, ...]  # columns that a client can send; kept in events, compared in replays
    redacted_text: tuple[str, ...] = ()
    redacted_json: tuple[str, ...] = ("metadata",)
    mutable: tuple[str, ...] = ()  # columns that an update may send; none: it never changes
    derived: tuple[str, ...] = ()  # columns that follow from mutable ones
    derive: Callable[[R], Mapping[str, Any]] = _nothing  # their values
    parse_change: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    apply_change: Callable[[R, Mapping[str, Any]], R] | None = None

    @property
    def argument(self) -> str:
        """How clients name the natural key of a record of this kind."""
        return "requestId" if self.subject is SubjectKind.REMEDIATION else camel(self.key)

    def key_of(self, record: Any) -> str:
        """The natural key of a draft or record."""
        return str(getattr(record, self.key))

    def version_of(self, record: Any) -> int:
        """The version of a record; 1 for kinds that never change."""
        return int(getattr(record, "version", 1))

    @property
    def redacted(self) -> tuple[str, ...]:
        """All columns that secrets are redacted from."""
        return (*self.redacted_text, *self.redacted_json)
