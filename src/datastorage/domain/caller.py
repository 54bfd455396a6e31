"""Who asks: principal, rights and scope. Built once per request, needed to build any repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NoReturn

from datastorage.errors import Forbidden


class Right(StrEnum):
    """What a caller may do; checked in the services and nowhere else."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class Role(StrEnum):
    """A usual set of rights."""

    READER = "reader"
    WRITER = "writer"
    ADMIN = "admin"


RIGHTS_OF: Final[Mapping[Role, frozenset[Right]]] = MappingProxyType(
    {
        Role.READER: frozenset({Right.READ}),
        Role.WRITER: frozenset({Right.READ, Right.WRITE}),
        Role.ADMIN: frozenset(Right),
    }
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The namespaces and clusters whose rows a caller sees; None means all."""

    namespaces: frozenset[str] | None = None
    clusters: frozenset[str] | None = None

    def covers(self, namespace: str | None, cluster: str | None) -> bool:
        """Whether a row of this namespace and cluster is visible; rows without them only if unscoped."""
        return (self.namespaces is None or namespace in self.namespaces) and (
            self.clusters is None or cluster in self.clusters
        )


EVERYWHERE = Scope()


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated (or anonymous) client of this service."""

    principal: str
    rights: frozenset[Right]
    scope: Scope = EVERYWHERE
    declared_actor: str | None = None
    address: str | None = None  # where the request comes from, as far as this process sees
    # Told of each denial: who was denied, and why.
    on_denial: Callable[[Caller, str], None] | None = field(default=None, repr=False, compare=False)

    def require(self, right: Right) -> None:
        """Errors: Forbidden when the caller lacks the right."""
        if right not in self.rights:
            self.deny(f"{self.principal} has no right to {right}", f"no right to {right}")

    def require_within(self, namespace: str | None, cluster: str | None) -> None:
        """Errors: Forbidden when what the caller itself names lies outside its scope."""
        if not self.scope.covers(namespace, cluster):
            self.deny(f"{self.principal} may not write to namespace {namespace}", "outside the scope")

    def require_everywhere(self, right: Right) -> None:
        """For what tells of all namespaces and clusters at once. Errors: Forbidden."""
        self.require(right)
        if self.scope != EVERYWHERE:
            self.deny(
                f"{self.principal} has no right to {right} everywhere", f"no right to {right} everywhere"
            )

    def deny(self, message: str, reason: str) -> NoReturn:
        """Refuses; `message` is for the caller, `reason` for the access audit. Errors: Forbidden."""
        if self.on_denial is not None:
            self.on_denial(self, reason)
        raise Forbidden(message)


ANONYMOUS = Caller("anonymous", frozenset(Right))
"""Everyone, while no authentication is configured and the service listens on loopback only."""

OPERATOR = Caller("operator", frozenset(Right))
"""Whoever runs the command line on the machine that holds the database's credentials."""
