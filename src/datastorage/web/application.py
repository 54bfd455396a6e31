"""Routes and middleware of the API."""

from __future__ import annotations

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import StatelessLifespan
from strawberry import Schema

from datastorage.graphql.compiled.execution import Execution
from datastorage.settings import Settings
from datastorage.web.graphiql import graphiql_assets
from datastorage.web.graphql_endpoint import GraphQLEndpoint
from datastorage.web.graphql_response import JSON, failed
from datastorage.web.internal_faults import InternalFaults
from datastorage.web.probes import health, ready
from datastorage.web.request_log import RequestLog


def build_application(
    schema: Schema, settings: Settings, lifespan: StatelessLifespan[Starlette] | None = None
) -> Starlette:
    """The Starlette application; `lifespan` puts `deps` and `health` into its state."""
    endpoint = GraphQLEndpoint(
        Execution(schema, compiled=settings.compiled_execution),
        graphiql=settings.graphiql,
        request_timeout_s=settings.request_timeout_s,
    )
    routes = [
        Route("/graphql", endpoint.handle, methods=["GET", "POST"]),
        Route("/health", health),
        Route("/ready", ready),
        Route("/", _start_page),
    ]
    if settings.graphiql:
        routes.append(graphiql_assets())  # type: ignore[arg-type]
    return Starlette(
        routes=routes,
        middleware=[Middleware(RequestLog), Middleware(InternalFaults)],
        exception_handlers={HTTPException: _not_routed},  # type: ignore[dict-item]
        lifespan=lifespan,
    )


async def _start_page(_: Request) -> Response:
    return RedirectResponse("/graphql")


async def _not_routed(request: Request, error: HTTPException) -> Response:
    """Another path, or another method: told in the form of every other error."""
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message, code = f"{request.url.path} does not take {request.method}", "BAD_USER_INPUT"
    else:
        message, code = "there is nothing here; the API is at /graphql", "NOT_FOUND"
    return failed(message, code, error.status_code, JSON, error.headers)
