"""What the settings grant to principals that something else vouches for: a cluster, a gateway, a certificate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from datastorage.domain.caller import RIGHTS_OF, Caller, Right, Role, Scope
from datastorage.errors import Unauthenticated
from datastorage.settings import Grant

# As long as the column of an event's actor, and nothing that would look like something else in a log.
_PRINCIPAL: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,255}")


class Grants:
    """Principals by name, or by the beginning of their name; the longest that fits decides."""

    def __init__(self, grants: Mapping[str, Grant]) -> None:
        self._exact = {name: grant for name, grant in grants.items() if not name.endswith("*")}
        prefixes = {name[:-1]: grant for name, grant in grants.items() if name.endswith("*")}
        self._prefixes = sorted(prefixes.items(), key=lambda item: len(item[0]), reverse=True)

    def caller(self, principal: str) -> Caller:
        """What a principal may do. Errors: Unauthenticated if nothing is granted to it."""
        principal = checked(principal)
        grant = self._exact.get(principal) or next(
            (grant for prefix, grant in self._prefixes if principal.startswith(prefix)), None
        )
        if grant is None:
            raise Unauthenticated(f"nothing is granted to {principal}")
        rights = (
            frozenset(Right(right) for right in grant.rights or ())
            if grant.role is None
            else RIGHTS_OF[Role(grant.role)]
        )
        return Caller(principal, rights, Scope(grant.namespaces, grant.clusters))


def checked(principal: str) -> str:
    """A name that can be stored and shown. Errors: Unauthenticated."""
    if not _PRINCIPAL.fullmatch(principal):
        raise Unauthenticated("the principal's name is too long, or has control characters")
    return principal
