"""Ways by what somebody else vouches for: a client certificate, a gateway; and the way without any."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import IPv4Network, IPv6Network

from starlette.requests import Request

from datastorage.domain.caller import ANONYMOUS, Caller
from datastorage.errors import Unauthenticated
from datastorage.services.access.grants import Grants
from datastorage.web.authentication.ways import shows_credential
from datastorage.web.client_address import is_within


def certified_subject(request: Request) -> str | None:
    """The subject of the client certificate that the server has verified (ASGI's TLS extension), as in RFC 4514."""
    tls = (request.scope.get("extensions") or {}).get("tls") or {}
    subject = tls.get("client_cert_name")
    return subject if isinstance(subject, str) and subject and not tls.get("client_cert_error") else None


class ByCertificate:
    """The subject of a verified client certificate."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    async def caller(self, request: Request) -> Caller | None:
        """As `Way`."""
        subject = certified_subject(request)
        return None if subject is None else self._grants.caller(f"mtls:{subject}")


class ByGateway:
    """A header that only a gateway may set: whoever else sends it is refused."""

    def __init__(
        self,
        grants: Grants,
        header: str,
        networks: Sequence[IPv4Network | IPv6Network],
        subjects: Collection[str],
    ) -> None:
        self._grants, self._header = grants, header.lower()
        self._networks, self._subjects = networks, frozenset(subjects)

    async def caller(self, request: Request) -> Caller | None:
        """As `Way`."""
        names = request.headers.getlist(self._header)
        if not names:
            return None
        if not self._is_gateway(request):
            raise Unauthenticated("a gateway's header from elsewhere")
        if len(names) > 1:  # one of them is not the gateway's
            raise Unauthenticated("a gateway's header twice")
        return self._grants.caller(f"proxy:{names[0]}")

    def _is_gateway(self, request: Request) -> bool:
        if certified_subject(request) in self._subjects:
            return True
        return request.client is not None and is_within(request.client.host, self._networks)


class ByNothing:
    """Whoever shows no credential may do everything; a bad credential is still a bad one."""

    async def caller(self, request: Request) -> Caller | None:
        """As `Way`."""
        return None if shows_credential(request) else ANONYMOUS
