"""The public keys of an issuer of tokens: read over HTTP, kept for a while, read anew when an unknown one is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import httpx
import orjson
import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from datastorage.errors import Unauthenticated, Unavailable
from datastorage.limits import (
    IDENTITY_TIMEOUT_S,
    SIGNING_KEYS_ASK_EVERY_S,
    SIGNING_KEYS_BYTES_MAX,
    SIGNING_KEYS_GOOD_S,
    SIGNING_KEYS_STALE_S_MAX,
)

DISCOVERY: Final = "/.well-known/openid-configuration"
PUBLIC_KEY_TYPES: Final = ("RSA", "EC", "OKP")
RSA_BITS_MIN: Final = 2048

log = structlog.get_logger(__name__)


class SigningKeys:
    """The keys that one issuer signs with."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        issuer: str,
        jwks_url: str | None,
        algorithms: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http, self._issuer, self._jwks_url = http, issuer, jwks_url
        self._algorithms, self._clock = frozenset(algorithms), clock
        self._keys: Mapping[str | None, PyJWK] = {}
        self._read_at: float | None = None
        self._asked_at: float | None = None
        self._reading = asyncio.Lock()

    async def key(self, key_id: str | None, algorithm: str) -> PyJWK:
        """The key of this name, for this algorithm. Errors: Unauthenticated, Unavailable."""
        if self._age_s >= SIGNING_KEYS_GOOD_S or key_id not in self._keys:
            await self._read_once(key_id)
        if self._age_s >= SIGNING_KEYS_STALE_S_MAX:
            raise Unavailable("the keys of the token's issuer cannot be read; try again")
        key = self._keys.get(key_id)
        if key is None or key.algorithm_name != algorithm:
            raise Unauthenticated("signed with no key of the issuer's")
        return key

    @property
    def _age_s(self) -> float:
        return float("inf") if self._read_at is None else self._clock() - self._read_at

    async def _read_once(self, key_id: str | None) -> None:
        """One reads, the others wait; and nobody makes us ask more often than now and then."""
        async with self._reading:
            fresh = self._age_s < SIGNING_KEYS_GOOD_S and key_id in self._keys
            asked = self._asked_at is not None and self._clock() - self._asked_at < SIGNING_KEYS_ASK_EVERY_S
            if fresh or asked:
                return
            self._asked_at = self._clock()
            try:
                self._keys = self._usable(await self._read())
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                log.warning("signing_keys_not_read", issuer=self._issuer, reason=type(error).__name__)
            else:
                self._read_at = self._asked_at

    async def _read(self) -> Any:
        if self._jwks_url is None:
            found = await self._json(self._issuer + DISCOVERY)
            if found["issuer"].rstrip("/") != self._issuer:
                raise ValueError("the configuration is another issuer's")
            if not str(found["jwks_uri"]).startswith("https://") and self._issuer.startswith("https://"):
                raise ValueError("keys that anybody in between could exchange")
            return await self._json(found["jwks_uri"])
        return await self._json(self._jwks_url)

    async def _json(self, url: str) -> Any:
        """Errors: httpx.HTTPError, ValueError."""
        async with (
            asyncio.timeout(IDENTITY_TIMEOUT_S),
            self._http.stream("GET", url, headers={"accept": "application/json"}) as answer,
        ):
            answer.raise_for_status()
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > SIGNING_KEYS_BYTES_MAX:
                    raise ValueError("more than keys")
        return orjson.loads(content)

    def _usable(self, found: Any) -> dict[str | None, PyJWK]:
        """The public signature keys whose algorithm is taken, by name; what is not understood is left out."""
        keys: dict[str | None, PyJWK] = {}
        for described in found["keys"]:
            if described.get("kty") not in PUBLIC_KEY_TYPES or described.get("use", "sig") != "sig":
                continue
            try:
                key = PyJWK(described)
            except PyJWTError:
                continue
            if key.algorithm_name in self._algorithms and getattr(key.key, "key_size", RSA_BITS_MIN) >= (
                RSA_BITS_MIN if described["kty"] == "RSA" else 0
            ):
                keys[described.get("kid")] = key
        return keys
