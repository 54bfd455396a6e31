"""What a guard advises."""

from __future__ import annotations

from datastorage.domain.action_guard import ActionAdvice
from datastorage.graphql.enums import described

__all__ = ["ActionAdvice"]

described(
    "What somebody should do who is about to act on a target.",
    CLEAR="Nothing speaks against acting.",
    CAUTION="Nothing is in flight, but in the window this action failed on this target, or its effect did not "
    "last: look at the failures, or take another action.",
    WAIT="Another remediation of this target is pending or being worked on: acting now would get in its way.",
)(ActionAdvice)
