"""What was tried on incidents like this one, and how it went: the actions that helped most reliably come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from datastorage.db.database import ReadSession
from datastorage.domain.caller import Caller, Right, Scope
from datastorage.domain.enums import SearchMode, Status
from datastorage.domain.filters import EVERYTHING, Condition, Filter, Operator, check_bounds
from datastorage.domain.remediation import REMEDIATION, RemediationAudit
from datastorage.domain.statistics import RemediationGroupField, Statistics, StatisticsQuestion
from datastorage.domain.wilson import wilson_lower_bound
from datastorage.errors import InvalidInput
from datastorage.limits import (
    ACTION_EXAMPLES_MAX,
    ACTION_RESOLUTIONS_MAX,
    RECOMMENDED_ACTIONS_DEFAULT,
    RECOMMENDED_ACTIONS_MAX,
    SIMILAR_TRIED_BY_WORDS_MAX,
    SIMILAR_TRIED_COVERAGE_MIN,
    SIMILAR_TRIED_MAX,
    SIMILAR_TRIED_SIMILARITY_MIN,
)
from datastorage.observability.labels import QueryOperation
from datastorage.observability.metrics import query_observed
from datastorage.repositories.statistics import RemediationStatistics
from datastorage.services.dependencies import Dependencies
from datastorage.services.incident_text import question_of
from datastorage.services.records.read import RecordKey, find
from datastorage.services.similar_incidents import (
    SimilarIncident,
    SimilarityQuestion,
    similar_to,
    understood,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionsQuestion:
    """What happened: a text, or a stored remediation."""

    text: str | None = None
    request_id: str | None = None
    where: Filter = EVERYTHING
    at: datetime | None = None  # when it happened; None: when the remediation started, else now
    rows: int = RECOMMENDED_ACTIONS_DEFAULT
    min_similarity: float | None = None  # None: what is alike in meaning or in words

    def check(self) -> None:
        """Errors: InvalidInput."""
        if (self.text is None) is (self.request_id is None):
            raise InvalidInput.single("requestId", "give exactly one of text and requestId")
        if not 1 <= self.rows <= RECOMMENDED_ACTIONS_MAX:
            raise InvalidInput.single(
                "first", f"must be between 1 and {RECOMMENDED_ACTIONS_MAX}, got {self.rows}"
            )
        if self.min_similarity is not None and not -1 <= self.min_similarity <= 1:
            raise InvalidInput.single("minSimilarity", "must be between -1 and 1")
        if self.text is not None:
            self.similar_to_text(self.text).check()
        check_bounds(self.where)

    def similar_to_text(self, text: str) -> SimilarityQuestion:
        """The incidents that resemble a text."""
        return SimilarityQuestion(text=text, where=self.where, at=self.at, rows=SIMILAR_TRIED_MAX)

    def similar_to_incident(self, audit: RemediationAudit) -> SimilarityQuestion:
        """The other incidents that resemble a stored one."""
        question = self.similar_to_text(question_of(audit))
        return replace(question, at=self.at or audit.start_time, other_than=audit.id)

    def takes(self, hit: SimilarIncident) -> bool:
        """Whether a hit is similar enough for its action to count.

        Meaning says little of a question of few words, so those that say most of it in its own words count too.
        Without a vector only words can tell.
        """
        by_words = hit.lexical_rank is not None and hit.lexical_rank <= SIMILAR_TRIED_BY_WORDS_MAX
        if hit.similarity is None:
            return by_words
        if self.min_similarity is not None:
            return hit.similarity >= self.min_similarity
        says_it_too = by_words and hit.term_coverage >= SIMILAR_TRIED_COVERAGE_MIN
        return hit.similarity >= SIMILAR_TRIED_SIMILARITY_MIN or says_it_too


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendedAction:
    """An action, and how it went on similar incidents. Attempts whose outcome is open count in `attempts` only."""

    action_type: str
    attempts: int
    success_count: int
    failure_count: int
    success_rate: float | None
    lower_bound: float | None
    median_duration_ms: float | None
    recurred_count: int
    recurrence_rate: float | None
    resolutions: Sequence[str]
    examples: Sequence[RemediationAudit]
    similarity: float | None  # of the attempt nearest in meaning; None where none has a vector


@dataclass(frozen=True, slots=True)
class RecommendedActions:
    """The actions, best first, and how the incidents were found."""

    actions: Sequence[RecommendedAction]
    similar_incident_count: int
    mode: SearchMode
    degraded_reason: str | None


async def recommended_actions(
    deps: Dependencies, caller: Caller, question: ActionsQuestion
) -> RecommendedActions:
    """What was tried on similar incidents. Errors: InvalidInput, Forbidden, Unavailable."""
    caller.require(Right.READ)
    question.check()
    with query_observed(QueryOperation.SEMANTIC_SEARCH):
        similar = await _similar(deps, caller, question)
        asked = await understood(deps, similar)
        async with deps.database.snapshot() as session:
            found = await similar_to(deps, caller, session, similar, asked)
            tried = [hit for hit in found.hits if question.takes(hit)]
            figures = await _figures(session, caller.scope, tried)
    actions = sorted((_action(group, tried) for group in figures), key=_place)
    return RecommendedActions(actions[: question.rows], len(tried), found.mode, found.degraded_reason)


async def _similar(deps: Dependencies, caller: Caller, question: ActionsQuestion) -> SimilarityQuestion:
    """Asks for what resembles what happened. Errors: InvalidInput for a remediation that is not there."""
    if question.text is not None:
        return question.similar_to_text(question.text)
    async with deps.database.read() as session:
        audit = await find(session, caller, REMEDIATION, RecordKey(key=question.request_id))
    if audit is None:
        raise InvalidInput.single("requestId", f"there is no remediation audit {question.request_id}")
    return question.similar_to_incident(audit)


async def _figures(session: ReadSession, scope: Scope, tried: Sequence[SimilarIncident]) -> list[Statistics]:
    """The figures of each action type."""
    if not tried:
        return []
    among = Condition("id", Operator.IN, tuple(hit.incident.id for hit in tried))
    by_action = (RemediationGroupField.ACTION_TYPE,)
    asked = StatisticsQuestion(where=among, group_by=by_action, percentiles=True, recurrence=True)
    return await RemediationStatistics(session, scope).groups(asked, len(tried))


def _action(figures: Statistics, tried: Sequence[SimilarIncident]) -> RecommendedAction:
    """One action type, with the attempts that show it."""
    action_type = figures.keys[0].value or ""
    attempts = [hit for hit in tried if hit.incident.action_type == action_type]
    decided = figures.success_count + figures.failure_count
    return RecommendedAction(
        action_type=action_type,
        attempts=figures.count,
        success_count=figures.success_count,
        failure_count=figures.failure_count,
        success_rate=figures.success_rate,
        lower_bound=wilson_lower_bound(figures.success_count, decided),
        median_duration_ms=figures.p50_duration_ms,
        recurred_count=figures.recurred_count,
        recurrence_rate=figures.recurrence_rate,
        resolutions=_resolutions(attempts),
        examples=[hit.incident for hit in attempts[:ACTION_EXAMPLES_MAX]],
        similarity=max((hit.similarity for hit in attempts if hit.similarity is not None), default=None),
    )


def _resolutions(attempts: Sequence[SimilarIncident]) -> list[str]:
    """What helped, in words, each once."""
    successes = (hit.incident for hit in attempts if hit.incident.status is Status.SUCCESS)
    texts = dict.fromkeys(audit.resolution for audit in successes if audit.resolution is not None)
    return list(texts)[:ACTION_RESOLUTIONS_MAX]


def _place(action: RecommendedAction) -> tuple[bool, float, int, str]:
    """By what it surely achieves, then by how often it was tried; what never came to an end is last."""
    bound = action.lower_bound
    return bound is None, -(bound or 0.0), -action.attempts, action.action_type
