"""Pages of other origins: they may ask, and read answers, only where the settings name their origin."""

from __future__ import annotations

from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from datastorage.settings import Settings
from datastorage.web.authentication.ways import API_KEY_HEADER
from datastorage.web.graphql_request import COST_HEADER
from datastorage.web.identity import ACTOR_HEADER

_OURS: Final = (API_KEY_HEADER, ACTOR_HEADER, COST_HEADER)


def open_to_origins(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application, as browsers let those pages use it; itself without any."""
    if not settings.cors_origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=settings.cors_origins,
        allow_methods=("GET", "POST"),
        allow_headers=["authorization", "x-request-id", *(name.decode() for name in _OURS)],
        expose_headers=("x-request-id", "retry-after"),
    )
