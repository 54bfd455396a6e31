"""The lexical leg: incidents whose terms answer a question best (BM25), within a filter and a scope.

Documents carry their weights as a sparse vector, so a score is one inner product. Which incidents are scored at
all is decided by the rarest terms of the question, through an index; where a filter leaves few, all of them are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Float,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Scope
from datastorage.domain.filters import Filter
from datastorage.domain.remediation import REMEDIATION
from datastorage.limits import SEARCH_STATEMENTS_MAX
from datastorage.models import incident_lexical, remediation_audit
from datastorage.models.sparsevec import Sparsevec, sparsevec_text
from datastorage.repositories.filters import clause_on
from datastorage.repositories.records import matching
from datastorage.repositories.scope import visible
from datastorage.search.lexical import DIMENSIONS

_lexical: Final = incident_lexical.c


class LexicalLeg:
    """Best matches for one caller."""

    def __init__(self, session: ReadSession, scope: Scope) -> None:
        self._session, self._scope = session, scope

    async def exact(self, questions: Sequence[Mapping[int, float]], where: Filter, rows_max: int) -> set[int]:
        """The best matches of each question among all incidents that match the filter."""
        statement = _exact(len(questions), where, self._scope, rows_max)
        return set(await self._session.scalars(statement, asked(questions)))

    async def by_terms(
        self, questions: Sequence[Mapping[int, float]], terms: Sequence[int], where: Filter, rows_max: int
    ) -> set[int]:
        """The same among those that have at least one of these terms."""
        statement = _by_terms(len(questions), where, self._scope, rows_max)
        return set(await self._session.scalars(statement, {**asked(questions), "terms": list(terms)}))


# Statements are put together once: that takes longer than to send them.


@lru_cache(SEARCH_STATEMENTS_MAX)
def _exact(questions: int, where: Filter, scope: Scope, rows_max: int) -> CompoundSelect[Any]:
    return _best(_filtered(_scored(questions), where, scope), questions, rows_max)


@lru_cache(SEARCH_STATEMENTS_MAX)
def _by_terms(questions: int, where: Filter, scope: Scope, rows_max: int) -> CompoundSelect[Any]:
    terms = bindparam("terms", type_=ARRAY(Integer))
    has_one = _scored(questions).where(_lexical.terms.overlap(terms))
    # Namespace, cluster and time are here as well, so that most filters need no join.
    by_own_columns = clause_on(incident_lexical, where)
    if by_own_columns is None:
        found = _filtered(has_one, where, scope)
    else:
        found = has_one.where(by_own_columns, visible(incident_lexical, scope))
    return _best(found, questions, rows_max)


def _best(scored: Select[Any], questions: int, rows_max: int) -> CompoundSelect[Any]:
    rows = scored.cte("scored").prefix_with("MATERIALIZED", dialect="postgresql")
    return union(*(_top(rows, f"score_{place}", rows_max) for place in range(questions)))


def _scored(questions: int) -> Select[Any]:
    scores = [score(place).label(f"score_{place}") for place in range(questions)]
    return select(_lexical.audit_id, *scores)


def _filtered(scored: Select[Any], where: Filter, scope: Scope) -> Select[Any]:
    """Those whose record matches; where few do, their index leads and the terms follow."""
    return scored.join(remediation_audit, remediation_audit.c.id == _lexical.audit_id).where(
        matching(REMEDIATION, where, scope)
    )


def score(place: int) -> ColumnElement[float]:
    """What an incident's terms are worth for the question at that place of `asked`; 0 without a common one."""
    question = cast(bindparam(f"question_{place}", type_=Text()), Sparsevec(DIMENSIONS))
    # As a subquery it is read from its text once; a generic plan would do so for every row.
    return -_lexical.weights.op("<#>", return_type=Float())(select(question).scalar_subquery())


def asked(questions: Sequence[Mapping[int, float]]) -> dict[str, Any]:
    """The questions as parameters."""
    return {
        f"question_{place}": sparsevec_text(question, DIMENSIONS) for place, question in enumerate(questions)
    }


def _top(rows: CTE, name: str, rows_max: int) -> Any:
    column = rows.c[name]
    best = select(rows.c.audit_id).where(column > 0).order_by(column.desc(), rows.c.audit_id.desc())
    return select(best.limit(rows_max).subquery().c.audit_id)
