"""From the settings to the ways of authentication. Called when the application is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import httpx

from datastorage.db.database import Database
from datastorage.limits import IDENTITY_TIMEOUT_S, REFUSED_CREDENTIAL_S
from datastorage.services.access.api_keys import KeyRecognition
from datastorage.services.access.grants import Grants
from datastorage.services.access.known_callers import KnownCallers
from datastorage.services.access.service_accounts import ServiceAccountRecognition, api_server_client
from datastorage.services.access.signing_keys import SigningKeys
from datastorage.services.access.tokens import TokenRecognition
from datastorage.settings import AuthMode, Settings
from datastorage.web.authentication.secrets import ByApiKey, ByServiceAccount, ByToken
from datastorage.web.authentication.vouched import ByCertificate, ByGateway, ByNothing
from datastorage.web.authentication.ways import Authentication, Way


def configured_authentication(settings: Settings, database: Callable[[], Database]) -> Authentication:
    """The ways of `auth_modes`; the database is asked for when a request comes. Errors: StartupError."""
    building = _Building(settings, database)
    ways = [BUILDERS[mode](building) for mode in settings.auth_modes]
    return Authentication(ways, building.close, building.keys.note_use)


class _Building:
    """What the ways share while they are built, and what is to be closed in the end."""

    def __init__(self, settings: Settings, database: Callable[[], Database]) -> None:
        self.settings, self.grants = settings, Grants(settings.auth_grants)
        self.keys = KeyRecognition(database)
        self._clients: list[httpx.AsyncClient] = []

    def api_key(self) -> Way:
        return ByApiKey(KnownCallers(self.keys.recognise, REFUSED_CREDENTIAL_S))

    def jwt(self) -> Way:
        settings, issuer = self.settings, str(self.settings.auth_jwt_issuer)
        http = self._opened(httpx.AsyncClient(timeout=IDENTITY_TIMEOUT_S, follow_redirects=False))
        keys = SigningKeys(http, issuer, settings.auth_jwt_jwks_url, settings.auth_jwt_algorithms)
        recognition = TokenRecognition(keys, self.grants, settings)
        return ByToken(KnownCallers(recognition.recognise, REFUSED_CREDENTIAL_S), issuer)

    def kubernetes(self) -> Way:
        http = self._opened(api_server_client(self.settings))
        recognition = ServiceAccountRecognition(lambda: http, self.grants, self.settings)
        return ByServiceAccount(KnownCallers(recognition.recognise, REFUSED_CREDENTIAL_S))

    def proxy(self) -> Way:
        settings = self.settings
        return ByGateway(
            self.grants,
            settings.auth_proxy_header,
            settings.auth_proxy_networks,
            settings.auth_proxy_subjects,
        )

    def mtls(self) -> Way:
        return ByCertificate(self.grants)

    def none(self) -> Way:
        return ByNothing()

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    def _opened(self, client: httpx.AsyncClient) -> httpx.AsyncClient:
        self._clients.append(client)
        return client


BUILDERS: Final[Mapping[AuthMode, Callable[[_Building], Way]]] = {
    AuthMode.NONE: _Building.none,
    AuthMode.API_KEY: _Building.api_key,
    AuthMode.JWT: _Building.jwt,
    AuthMode.KUBERNETES: _Building.kubernetes,
    AuthMode.PROXY: _Building.proxy,
    AuthMode.MTLS: _Building.mtls,
}
