"""What every resolver of one request has at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import strawberry

from datastorage.domain.caller import Caller
from datastorage.services.dependencies import Dependencies


@dataclass(frozen=True, slots=True)
class Context:
    """The services' dependencies and the caller; no session, since sibling fields interleave."""

    deps: Dependencies
    caller: Caller


Info: TypeAlias = strawberry.Info[Context, None]
