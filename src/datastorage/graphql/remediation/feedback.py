"""The mutation for feedback on similar remediations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from datastorage.graphql.audit import LazyEvent
from datastorage.graphql.context import Info
from datastorage.graphql.errors import ForbiddenError, NotFoundError, UnavailableError, ValidationError
from datastorage.graphql.receipt import WriteReceipt
from datastorage.graphql.view import view
from datastorage.graphql.write import answered
from datastorage.services.feedback import Feedback
from datastorage.services.feedback import record_feedback as record


@strawberry.type(description="The feedback was recorded, or had been already.")
class RecordFeedbackPayload:
    """What was recorded."""

    event: LazyEvent = strawberry.field(description="The event of kind FEEDBACK_RECORDED that holds it.")
    receipt: WriteReceipt = strawberry.field(description="How the write went.")


RecordFeedbackResult = Annotated[
    RecordFeedbackPayload | ValidationError | NotFoundError | ForbiddenError | UnavailableError,
    strawberry.union("RecordFeedbackResult", description="What recording feedback answers."),
]
_recorded = answered(RecordFeedbackPayload, "event")


async def record_feedback(
    info: Info,
    request_id: Annotated[
        str, strawberry.argument(description="Request id of the remediation that help was sought for.")
    ],
    similar_to: Annotated[
        str, strawberry.argument(description="Request id of the past one that was offered as similar.")
    ],
    helpful: Annotated[bool, strawberry.argument(description="Whether the past one helped.")],
    note: Annotated[
        str | None,
        strawberry.argument(description="Why, in words, at most 10 KiB; secrets are redacted."),
    ] = None,
) -> RecordFeedbackPayload:
    """Records feedback."""
    feedback = Feedback(request_id, similar_to, helpful, note)
    written = await record(info.context.deps, info.context.caller, feedback)
    info.context.forget()
    return _recorded(written)


@strawberry.type
class FeedbackMutations:
    """Root fields."""

    record_feedback: RecordFeedbackResult = view(
        record_feedback,
        "Records whether a remediation offered as similar helped with another: an event, which changes neither of "
        "them. The last word of an actor on a pair counts; the same word again answers `replayed: true`.",
    )
