"""What every resolver of one request has at hand."""

from __future__ import annotations

from typing import TypeAlias

import strawberry

from datastorage.domain.caller import Caller
from datastorage.graphql.loaders import Loaders
from datastorage.services.dependencies import Dependencies


class Context:
    """The services' dependencies, the caller and its loaders; no session, since sibling fields interleave."""

    __slots__ = ("caller", "deps", "loaders")

    def __init__(self, deps: Dependencies, caller: Caller) -> None:
        self.deps, self.caller = deps, caller
        self.loaders = Loaders(deps, caller)

    def forget(self) -> None:
        """After a write: what was loaded before may no longer be so for the fields that follow."""
        self.loaders = Loaders(self.deps, self.caller)


Info: TypeAlias = strawberry.Info[Context, None]
