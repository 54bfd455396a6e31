"""By which names the service may be called: a page whose name was made to lead here would count as its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from datastorage.settings import Settings
from datastorage.web.graphql_response import JSON, failed

PROBES: Final = ("/health", "/ready")  # called by address, whatever the names are
NAMES_KEPT_MAX: Final = 1_000


def only_by_name(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application, called by the names of the settings; where nothing needs to be refused, itself."""
    if settings.http_hosts:
        return CalledByName(app, _listed(settings.http_hosts))
    if settings.anybody_may and not settings.insecure:
        return CalledByName(app, _is_nobody_elses)
    return app


class CalledByName:
    """ASGI middleware that refuses requests to other names."""

    def __init__(self, app: ASGIApp, accepts: Callable[[str], bool]) -> None:
        self._app, self._accepts = app, lru_cache(NAMES_KEPT_MAX)(lambda host: accepts(_name(host)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Other protocols pass."""
        if scope["type"] == "http" and scope["path"] not in PROBES:
            for name, value in scope["headers"]:
                if name == b"host" and not self._accepts(value):
                    answer = failed("the service has another name", "FORBIDDEN", 421, JSON)
                    await answer(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def _name(host: bytes) -> str:
    """Without port and brackets."""
    text = host.decode("latin-1").lower().rstrip(".")
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def _listed(hosts: Collection[str]) -> Callable[[str], bool]:
    exact = frozenset(host for host in hosts if not host.startswith("*"))
    suffixes = tuple(host[1:] for host in hosts if host.startswith("*"))
    return lambda name: name in exact or name.endswith(suffixes)


def _is_nobody_elses(name: str) -> bool:
    """An address, or a name without a dot: no name that somebody on the Internet could own."""
    if "." not in name and ":" not in name:
        return True
    try:
        ip_address(name)
    except ValueError:
        return name.endswith(".localhost")
    return True
