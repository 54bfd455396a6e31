"""An API key as it is kept: never the secret, only its hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from datastorage.domain.caller import RIGHTS_OF, Right, Role, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key of one client."""

    id: int
    name: str
    prefix: str
    secret_hash: bytes
    role: Role | None
    rights: tuple[Right, ...] | None  # where no role is given
    namespaces: tuple[str, ...] | None
    clusters: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def usable(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def principal(self) -> str:
        """Who calls with it."""
        return f"key:{self.name}"

    @property
    def granted(self) -> frozenset[Right]:
        """What it allows."""
        return frozenset(self.rights or ()) if self.role is None else RIGHTS_OF[self.role]

    @property
    def scope(self) -> Scope:
        """Where."""
        return Scope(
            None if self.namespaces is None else frozenset(self.namespaces),
            None if self.clusters is None else frozenset(self.clusters),
        )
