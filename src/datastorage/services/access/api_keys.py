"""API keys: made, listed, rotated and revoked at the command line, recognised in requests."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from datastorage.db.database import Database
from datastorage.domain.api_key import ApiKey
from datastorage.domain.caller import Caller, Right, Role, Scope
from datastorage.errors import OperatorError, Unauthenticated
from datastorage.limits import API_KEY_GOOD_S
from datastorage.repositories.api_keys import ApiKeys, ApiKeysWriter
from datastorage.services.access.key_secrets import hash_of, new_secret, prefix_of
from datastorage.services.access.known_callers import Recognised
from datastorage.services.dependencies import Dependencies

UNKNOWN = bytes(32)  # the hash of no secret: an unknown key is compared too


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which is told once and kept nowhere."""

    key: ApiKey
    secret: str


async def create_key(
    deps: Dependencies,
    caller: Caller,
    name: str,
    granted: Role | Sequence[Right],
    scope: Scope,
    expires_at: datetime | None,
) -> NewKey:
    """A key of a name that has none yet. Errors: OperatorError, Forbidden."""
    caller.require_everywhere(Right.ADMIN)
    async with deps.database.write() as session:
        keys = ApiKeysWriter(session)
        if await keys.usable(name, _now()):
            raise OperatorError(f"there is a key named {name}; rotate it, or choose another name")
        made = await _added(keys, name, _columns(granted, scope), expires_at)
        await session.commit()
    return made


async def list_keys(deps: Dependencies, caller: Caller) -> list[ApiKey]:
    """All of them. Errors: Forbidden."""
    caller.require_everywhere(Right.ADMIN)
    async with deps.database.read() as session:
        return await ApiKeys(session).all()


async def rotate_key(
    deps: Dependencies, caller: Caller, name: str, grace: timedelta, lifetime: timedelta | None
) -> NewKey:
    """A new secret with the same rights; the old one still opens for a while. Errors: OperatorError, Forbidden."""
    caller.require_everywhere(Right.ADMIN)
    async with deps.database.write() as session:
        keys = ApiKeysWriter(session)
        old = await _existing(keys, name)
        newest = old[-1]
        columns = {
            "role": newest.role,
            "rights": newest.rights,
            "namespaces": newest.namespaces,
            "clusters": newest.clusters,
        }
        made = await _added(keys, name, columns, None if lifetime is None else _now() + lifetime)
        await keys.end([key.id for key in old], _now() + grace)
        await session.commit()
    return made


async def revoke_key(deps: Dependencies, caller: Caller, name: str) -> list[ApiKey]:
    """Ends all keys of a name, within seconds everywhere. Errors: OperatorError, Forbidden."""
    caller.require_everywhere(Right.ADMIN)
    async with deps.database.write() as session:
        keys = ApiKeysWriter(session)
        old = await _existing(keys, name)
        await keys.revoke([key.id for key in old])
        await session.commit()
    return old


class KeyRecognition:
    """Finds out whose key a secret is, from the database."""

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self.used: dict[int, datetime] = {}  # keys by number, to be noted when there is time

    async def recognise(self, secret: str) -> Recognised:
        """Errors: Unauthenticated, Unavailable."""
        prefix = prefix_of(secret)
        if prefix is None:
            raise Unauthenticated("no key of ours")
        async with self._database().read() as session:
            key = await ApiKeys(session).by_prefix(prefix)
        matches = hmac.compare_digest(hash_of(secret), UNKNOWN if key is None else key.secret_hash)
        if key is None or not matches:
            raise Unauthenticated("unknown key")
        now = _now()
        if not key.usable(now):
            raise Unauthenticated(f"key {key.name} ({key.prefix}) is expired or revoked")
        self.used[key.id] = now
        left_s = API_KEY_GOOD_S if key.expires_at is None else (key.expires_at - now).total_seconds()
        return Recognised(Caller(key.principal, key.granted, key.scope), min(API_KEY_GOOD_S, left_s))

    async def note_use(self) -> None:
        """Writes down when keys were last used. Errors: Unavailable; then it is done the next time."""
        used = self.used
        if not used:
            return
        async with self._database().write() as session:
            await ApiKeysWriter(session).touch(list(used), max(used.values()))
            await session.commit()
        self.used = {key: at for key, at in self.used.items() if key not in used or at > used[key]}


async def _existing(keys: ApiKeys, name: str) -> list[ApiKey]:
    found = await keys.usable(name, _now())
    if not found:
        raise OperatorError(f"there is no key named {name} that is good for anything; `keys list` shows all")
    return found


async def _added(
    keys: ApiKeysWriter, name: str, columns: Mapping[str, object], expires_at: datetime | None
) -> NewKey:
    secret, prefix = new_secret()
    values = {"name": name, "prefix": prefix, "secret_hash": hash_of(secret), "expires_at": expires_at}
    return NewKey(await keys.add(**values, **columns), secret)


def _columns(granted: Role | Sequence[Right], scope: Scope) -> dict[str, object]:
    is_role = isinstance(granted, Role)
    return {
        "role": granted if is_role else None,
        "rights": None if is_role else sorted(set(granted)),
        "namespaces": None if scope.namespaces is None else sorted(scope.namespaces),
        "clusters": None if scope.clusters is None else sorted(scope.clusters),
    }


def _now() -> datetime:
    return datetime.now(UTC)
