"""Who asks: principal, rights and scope. Built once per request, needed to build any repository."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from datastorage.errors import Forbidden


class Right(StrEnum):
    """What a caller may do; checked in the services and nowhere else."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


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

    def require(self, right: Right) -> None:
        """Errors: Forbidden when the caller lacks the right."""
        if right not in self.rights:
            raise Forbidden(f"{self.principal} has no right to {right}")


ANONYMOUS = Caller("anonymous", frozenset(Right))
"""Everyone, while no authentication is configured and the service listens on loopback only."""

OPERATOR = Caller("operator", frozenset(Right))
"""Whoever runs the command line on the machine that holds the database's credentials."""
