"""Queries of somebody who is about to act on an incident."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from datastorage.domain import action_guard as guards
from datastorage.graphql.arguments import AmongIncidents
from datastorage.graphql.context import Info
from datastorage.graphql.filters import to_filter
from datastorage.graphql.recommendation.types import ActionGuard, RecommendedActions
from datastorage.graphql.view import view
from datastorage.limits import RECOMMENDED_ACTIONS_DEFAULT
from datastorage.services import action_guard as guarding
from datastorage.services import recommended_actions as recommending


async def recommended_actions(
    info: Info,
    text: Annotated[
        str | None,
        strawberry.argument(
            description="What happened, in words: an alert's summary, then its error message or stack trace; "
            "up to 64 KiB."
        ),
    ] = None,
    request_id: Annotated[
        str | None,
        strawberry.argument(
            description="Instead of a text: a stored remediation, asked for by its headline, its error message "
            "and its start, and itself left out."
        ),
    ] = None,
    filters: AmongIncidents = None,
    first: Annotated[
        int | None, strawberry.argument(description="How many actions are wanted, 1 to 100.")
    ] = RECOMMENDED_ACTIONS_DEFAULT,
    at: Annotated[
        datetime | None,
        strawberry.argument(
            description="When it happened; by default when the remediation of `requestId` started, else now. "
            "Incidents close to it in time count as more similar."
        ),
    ] = None,
    min_similarity: Annotated[
        float | None,
        strawberry.argument(
            description="How similar an incident must be for its action to count, -1 to 1; see `similarity` of "
            "similarIncidents. By default 0.55, or among the 10 best by words with at least half of what the "
            "words of the question say. Incidents without a vector count if they are among the 10 best by words."
        ),
    ] = None,
) -> recommending.RecommendedActions:
    """The actions."""
    question = recommending.ActionsQuestion(
        text=text,
        request_id=request_id,
        where=to_filter(filters),
        at=at,
        rows=RECOMMENDED_ACTIONS_DEFAULT if first is None else first,
        min_similarity=min_similarity,
    )
    async with info.context.search():
        return await recommending.recommended_actions(info.context.deps, info.context.caller, question)


async def action_guard(
    info: Info,
    action_type: Annotated[
        str, strawberry.argument(description="The action that is about to be taken, such as `restart_pod`.")
    ],
    target: Annotated[
        str,
        strawberry.argument(
            description="What it is about to be taken on: `Kind/name` or `namespace/Kind/name`, spelled as the "
            "remediations of it are sent."
        ),
    ],
    cluster: Annotated[
        str | None, strawberry.argument(description="Only remediations in this cluster; in all by default.")
    ] = None,
    namespace: Annotated[
        str | None,
        strawberry.argument(description="Only remediations in this namespace; in all by default."),
    ] = None,
    since: Annotated[
        datetime | None,
        strawberry.argument(
            description="Start of the window that counts as recent; 24 hours ago by default."
        ),
    ] = None,
    except_request_id: Annotated[
        str | None,
        strawberry.argument(
            description="A remediation to leave out of everything: that of the asker, stored already, which "
            "would be in flight itself."
        ),
    ] = None,
) -> guards.ActionGuard:
    """The guard."""
    arguments = {
        "action_type": action_type,
        "target": target,
        "cluster": cluster,
        "namespace": namespace,
        "since": since,
        "except_request_id": except_request_id,
    }
    return await guarding.action_guard(info.context.deps, info.context.caller, arguments)


@strawberry.type
class RecommendationQueries:
    """Root fields."""

    recommended_actions: RecommendedActions = view(
        recommended_actions,
        "What helped before? Actions that were tried on the incidents most similar to `text`, or to the "
        "remediation of `requestId` (exactly one of them), and how they went.",
    )
    action_guard: ActionGuard = view(
        action_guard,
        "Is it wise to act now? Remediations of a target in flight, and how this action went on it lately: for "
        "people and agents to read before they act. It holds nothing back and locks nothing.",
    )
