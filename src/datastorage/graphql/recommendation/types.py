"""Recommended actions and the guard of an action as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from datastorage.graphql.arguments import Format
from datastorage.graphql.enums import SearchMode, TextFormat
from datastorage.graphql.recommendation.enums import ActionAdvice
from datastorage.graphql.text import formatted
from datastorage.services import recommended_actions as services

if TYPE_CHECKING:
    from datastorage.graphql.remediation.types import RemediationAudit

LazyAudit = Annotated["RemediationAudit", strawberry.lazy("datastorage.graphql.remediation.types")]


def resolutions(
    root: strawberry.Parent[services.RecommendedAction], format: Format = TextFormat.PLAIN
) -> list[str]:
    """What helped."""
    return [formatted(text, format) or "" for text in root.resolutions]


@strawberry.type(
    description="An action that was tried on similar incidents, and how it went. Each of these incidents is one "
    "attempt; one whose status is PENDING or RUNNING counts in `attempts` only."
)
class RecommendedAction:
    """A view of `services.recommended_actions.RecommendedAction`."""

    action_type: str = strawberry.field(description="The action, such as `restart_pod`.")
    attempts: int = strawberry.field(description="Similar incidents that it was tried on.")
    success_count: int = strawberry.field(
        description="Those with the status SUCCESS, also where the same alert came back later: see "
        "recurredCount for whether the effect lasts."
    )
    failure_count: int = strawberry.field(description="Those with the status FAILURE.")
    success_rate: float | None = strawberry.field(
        description="Successes / (successes + failures), 0 to 1; null when there are neither."
    )
    lower_bound: float | None = strawberry.field(
        description="What the success rate is at least, with 95 % confidence (the lower end of Wilson's "
        "interval): 0.21 for 1 of 1, 0.72 for 10 of 10, 0.83 for 90 of 100. Actions are ordered by it, so that "
        "one lucky attempt does not come before many good ones. Null where successRate is."
    )
    median_duration_ms: float | None = strawberry.field(
        description="Median duration of the attempts that ended, in milliseconds; null if none did."
    )
    recurred_count: int = strawberry.field(
        description="Attempts after which the same alert struck the same target in the same cluster again: "
        "another remediation started later than their end and at most 24 hours later. Most of them are among "
        "the successes."
    )
    recurrence_rate: float | None = strawberry.field(
        description="recurredCount / the attempts that ended, 0 to 1; null if none did."
    )
    resolutions: list[str] = strawberry.field(
        resolver=resolutions,
        description="What helped, in words, as successful attempts tell it: at most 3 different texts, of the "
        "most similar incidents first; secrets are redacted.",
    )
    examples: list[LazyAudit] = strawberry.field(
        description="The attempts on the most similar incidents, at most 3, however they went."
    )
    similarity: float | None = strawberry.field(
        description="Of the attempt nearest in meaning: 1 − cosine distance, as in `similarIncidents`; null "
        "where none has a vector."
    )


@strawberry.type(
    description="What was tried on incidents like this one: actions by the lower bound of their success rate, "
    "then by attempts, then by name; actions without a success or a failure yet come last."
)
class RecommendedActions:
    """A view of `services.recommended_actions.RecommendedActions`."""

    actions: list[RecommendedAction] = strawberry.field(
        description="The actions, the most reliable first; empty if no incident was similar enough."
    )
    similar_incident_count: int = strawberry.field(
        description="How many similar incidents these figures rest on, at most 50."
    )
    mode: SearchMode = strawberry.field(
        description="How they were searched; LEXICAL means by words alone: see degradedReason."
    )
    degraded_reason: str | None = strawberry.field(description="Why the answer is less than it could be.")


@strawberry.type(
    description="What to know of an action on a target before acting. Recent is what started at `since` or later."
)
class ActionGuard:
    """A view of `domain.action_guard.ActionGuard`."""

    advice: ActionAdvice = strawberry.field(
        description="WAIT when anything is in flight on the target, else CAUTION when the action failed there "
        "recently or its effect did not last, else CLEAR."
    )
    reasons: list[str] = strawberry.field(
        description="Why, for people, the weightiest first; empty when CLEAR."
    )
    since: datetime = strawberry.field(description="Start of the window that counts as recent.")
    in_flight: list[LazyAudit] = strawberry.field(
        description="Remediations of the target that are PENDING or PROCESSING, whatever their action and "
        "however long ago they started: the newest 10."
    )
    in_flight_count: int = strawberry.field(description="How many there are of these.")
    recent_failures: list[LazyAudit] = strawberry.field(
        description="Recent remediations of the target by this action with the status FAILURE: the newest 10."
    )
    recent_failure_count: int = strawberry.field(description="How many there are of these.")
    recent_attempt_count: int = strawberry.field(
        description="Recent remediations of the target by this action, however they went or go."
    )
    recent_success_count: int = strawberry.field(description="Those of them with the status SUCCESS.")
    recurred_count: int = strawberry.field(
        description="Recent remediations of the target by this action whose effect did not last: the same alert "
        "struck the same target in the same cluster again, later than their end and at most 24 hours later."
    )
    last_attempt: LazyAudit | None = strawberry.field(
        description="The newest remediation of the target by this action, also before the window."
    )
    last_success: LazyAudit | None = strawberry.field(
        description="The newest of them with the status SUCCESS, also before the window."
    )
