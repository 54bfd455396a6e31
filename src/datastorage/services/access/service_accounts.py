"""ServiceAccounts of Kubernetes: the API server is asked whose a token is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from datastorage.errors import StartupError, Unauthenticated, Unavailable
from datastorage.limits import IDENTITY_TIMEOUT_S, SERVICE_ACCOUNT_GOOD_S
from datastorage.services.access.grants import Grants
from datastorage.services.access.known_callers import Recognised
from datastorage.settings import AuthenticationSettings

REVIEWS: Final = "/apis/authentication.k8s.io/v1/tokenreviews"
UNREACHABLE: Final = "the cluster cannot say whose the token is; try again"


def api_server_client(settings: AuthenticationSettings) -> httpx.AsyncClient:
    """A client that believes the cluster's own authority only. Errors: StartupError."""
    try:
        trusted = ssl.create_default_context(cafile=settings.auth_kubernetes_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise StartupError(
            f"the cluster's certificate authority cannot be read from {settings.auth_kubernetes_ca_file} "
            f"({getattr(error, 'strerror', None) or error}); set DATASTORAGE_AUTH_KUBERNETES_CA_FILE"
        ) from None
    return httpx.AsyncClient(verify=trusted, timeout=IDENTITY_TIMEOUT_S, trust_env=False)


class ServiceAccountRecognition:
    """Has tokens reviewed."""

    def __init__(
        self, http: Callable[[], httpx.AsyncClient], grants: Grants, settings: AuthenticationSettings
    ) -> None:
        self._http, self._grants, self._settings = http, grants, settings

    async def recognise(self, token: str) -> Recognised:
        """Errors: Unauthenticated, Unavailable."""
        status = await self._reviewed(token)
        user = status.get("user")
        name = user.get("username") if isinstance(user, dict) else None
        if status.get("authenticated") is not True or not isinstance(name, str) or not name:
            raise Unauthenticated("the cluster does not know the token")
        wanted = self._settings.auth_kubernetes_audience
        if wanted and not set(wanted).intersection(status.get("audiences") or ()):
            raise Unauthenticated("the token is for another audience")
        return Recognised(self._grants.caller(f"kubernetes:{name}"), SERVICE_ACCOUNT_GOOD_S)

    async def _reviewed(self, token: str) -> dict[str, Any]:
        review: dict[str, Any] = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token},
        }
        if self._settings.auth_kubernetes_audience:
            review["spec"]["audiences"] = list(self._settings.auth_kubernetes_audience)
        try:
            # Read each time: the cluster renews it.
            own = await asyncio.to_thread(_read, self._settings.auth_kubernetes_token_file)
            answer = await self._http().post(
                self._settings.auth_kubernetes_url + REVIEWS,
                content=orjson.dumps(review),
                headers={"authorization": f"Bearer {own}", "content-type": "application/json"},
            )
            answer.raise_for_status()
            status = orjson.loads(answer.content)["status"]
        except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(UNREACHABLE) from error
        return status if isinstance(status, dict) else {}


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii").strip()
