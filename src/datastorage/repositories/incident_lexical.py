"""Rows of incident_lexical: the words of remediations. Written beside the rows whose words they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from datastorage.db.database import WriteSession
from datastorage.models import incident_lexical as table
from datastorage.models import remediation_audit
from datastorage.models.sparsevec import Sparsevec, sparsevec_text
from datastorage.search import LexicalDocument
from datastorage.search.lexical import DIMENSIONS

# Arrays of arrays would be unnested into one, so each row's terms and weights travel as text.
_GIVEN: Final = (
    func.unnest(
        bindparam("audit_id", type_=ARRAY(BigInteger)),
        bindparam("terms", type_=ARRAY(Text)),
        bindparam("weights", type_=ARRAY(Text)),
    )
    .table_valued(column("audit_id", BigInteger), column("terms", Text), column("weights", Text))
    .render_derived(name="given")
)
_audit = remediation_audit.c
_INSERT: Final = insert(table).from_select(
    ["audit_id", "namespace", "cluster_name", "start_time", "terms", "weights"],
    select(
        _audit.id,
        _audit.namespace,
        _audit.cluster_name,
        _audit.start_time,
        cast(_GIVEN.c.terms, ARRAY(Integer)),
        cast(_GIVEN.c.weights, Sparsevec(DIMENSIONS)),
    ).join_from(_GIVEN, remediation_audit, _audit.id == _GIVEN.c.audit_id),
)
_PUT: Final = _INSERT.on_conflict_do_update(
    index_elements=["audit_id"],
    set_={"terms": _INSERT.excluded.terms, "weights": _INSERT.excluded.weights},
    # An update that moves only the phase leaves the words alone, and so their index.
    where=(table.c.terms != _INSERT.excluded.terms) | (table.c.weights != _INSERT.excluded.weights),
)


class IncidentLexical:
    """The words of one transaction's incidents; they carry no caller's data out, so no scope."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    async def put_many(self, documents: Mapping[int, LexicalDocument]) -> None:
        """Stores the words of remediations by number, in place of those they had."""
        if documents:
            ordered = sorted(documents.items())  # one lock order for all writers
            await self._session.execute(_PUT, _parameters(ordered))


def _parameters(documents: list[tuple[int, LexicalDocument]]) -> dict[str, list[Any]]:
    return {
        "audit_id": [audit_id for audit_id, _ in documents],
        "terms": ["{" + ",".join(map(str, document.terms)) + "}" for _, document in documents],
        "weights": [sparsevec_text(document.weights, DIMENSIONS) for _, document in documents],
    }
