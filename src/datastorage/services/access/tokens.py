"""JWTs of an OpenID provider: whose they are, and what their claims grant."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from datastorage.domain.caller import RIGHTS_OF, Caller, Right, Role, Scope
from datastorage.errors import Unauthenticated
from datastorage.limits import JWT_GOOD_S
from datastorage.services.access.grants import Grants, checked
from datastorage.services.access.known_callers import Recognised
from datastorage.services.access.signing_keys import SigningKeys
from datastorage.settings import AuthenticationSettings

ALL = "*"


def claims_unverified(token: str) -> Mapping[str, Any]:
    """What a token says of itself, to find out whose business it is; nothing of it may be believed."""
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except (PyJWTError, ValueError, RecursionError):
        return {}


@dataclass(frozen=True, slots=True)
class TokenRecognition:
    """Checks tokens of one issuer."""

    keys: SigningKeys
    grants: Grants
    settings: AuthenticationSettings

    async def recognise(self, token: str) -> Recognised:
        """Errors: Unauthenticated, Unavailable."""
        claims = await self._verified(token)
        name = claims.get(self.settings.auth_jwt_principal_claim)
        if not isinstance(name, str) or not name:
            raise Unauthenticated("the token names no principal")
        left_s = float(claims["exp"]) + self.settings.auth_jwt_leeway_s - time.time()
        return Recognised(self._caller(checked(f"jwt:{name}"), claims), min(JWT_GOOD_S, left_s))

    async def _verified(self, token: str) -> Mapping[str, Any]:
        """The claims of a good token. A header that names `none` or a shared secret is refused before any key is."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id = header.get("alg"), header.get("kid")
            if algorithm not in self.settings.auth_jwt_algorithms:
                raise Unauthenticated(f"signed by {str(algorithm)[:20]}, which is not taken")
            if key_id is not None and not isinstance(key_id, str):
                raise Unauthenticated("the token's key has no name")
            claims: dict[str, Any] = jwt.decode(
                token,
                await self.keys.key(key_id, str(algorithm)),
                algorithms=list(self.settings.auth_jwt_algorithms),
                audience=list(self.settings.auth_jwt_audience),
                issuer=[str(self.settings.auth_jwt_issuer), f"{self.settings.auth_jwt_issuer}/"],
                leeway=self.settings.auth_jwt_leeway_s,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise Unauthenticated(f"token refused: {type(error).__name__}") from None
        return claims

    def _caller(self, principal: str, claims: Mapping[str, Any]) -> Caller:
        """From the claims, where they are to say it; from the settings' grants where not."""
        settings = self.settings
        if settings.auth_jwt_roles_claim is None:
            granted = self.grants.caller(principal)
            rights, scope = granted.rights, granted.scope
        else:
            named = [
                settings.auth_jwt_roles.get(word) for word in _words(claims, settings.auth_jwt_roles_claim)
            ]
            rights = frozenset[Right]().union(*(RIGHTS_OF[Role(role)] for role in named if role is not None))
            if not rights:
                raise Unauthenticated(f"no role of {principal} means anything here")
            scope = Scope()
        return Caller(
            principal,
            rights,
            Scope(
                _narrowed(scope.namespaces, claims, settings.auth_jwt_namespaces_claim),
                _narrowed(scope.clusters, claims, settings.auth_jwt_clusters_claim),
            ),
        )


def _narrowed(
    granted: frozenset[str] | None, claims: Mapping[str, Any], claim: str | None
) -> frozenset[str] | None:
    """What both allow; a token without the claim sees nothing."""
    if claim is None:
        return granted
    named = frozenset(_words(claims, claim))
    if ALL in named:
        return granted
    return named if granted is None else named & granted


def _words(claims: Mapping[str, Any], path: str) -> Sequence[str]:
    """The words of a claim: a list, or one string with spaces between. A claim of just this name comes first."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value.split()
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else ()
