"""Routes and middleware of the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send, StatelessLifespan
from strawberry import Schema

from datastorage.errors import Unauthenticated, Unavailable
from datastorage.graphql.compiled.execution import Execution
from datastorage.observability.spans import Spans
from datastorage.redaction import Redactor
from datastorage.services.rate_limits import configured_rate_limits
from datastorage.settings import Settings
from datastorage.web.authentication import configured_authentication
from datastorage.web.called_names import only_by_name
from datastorage.web.client_address import ClientAddresses
from datastorage.web.documents import configured_documents
from datastorage.web.foreign_pages import open_to_origins
from datastorage.web.graphiql import graphiql_assets
from datastorage.web.graphql_endpoint import METHODS, PATH, GraphQLEndpoint
from datastorage.web.graphql_response import JSON, failed
from datastorage.web.identity import not_let_in
from datastorage.web.internal_faults import InternalFaults
from datastorage.web.probes import health, ready
from datastorage.web.request_log import RequestLog
from datastorage.web.request_spans import RequestSpans
from datastorage.web.security_headers import ON_DATA
from datastorage.web.traced_execution import TracedExecution


def build_application(
    schema: Schema,
    settings: Settings,
    lifespan: StatelessLifespan[Starlette] | None = None,
    spans: Spans | None = None,
) -> Application:
    """The Starlette application; `lifespan` puts `deps` and `health` into its state. `spans`: if traces are wanted."""
    documents = configured_documents(settings, schema)
    endpoint = GraphQLEndpoint(_execution(schema, settings, spans), documents, settings)
    routes = [
        Route(PATH, endpoint.handle, methods=METHODS),
        Route("/health", health),
        Route("/ready", ready),
        Route("/", _start_page),
    ]
    if settings.graphiql:
        routes.append(graphiql_assets())  # type: ignore[arg-type]
    app = Application(
        endpoint,
        settings,
        spans,
        routes=routes,
        middleware=[Middleware(InternalFaults)],
        exception_handlers={
            HTTPException: _not_routed,
            Unauthenticated: not_let_in,
            Unavailable: not_let_in,
        },
        lifespan=lifespan,
    )
    app.state.documents = documents
    app.state.addresses = ClientAddresses(settings.trusted_proxies)
    app.state.rate_limits = configured_rate_limits(settings)
    app.state.authentication = configured_authentication(settings, lambda: app.state.deps.database)
    return app


def _execution(schema: Schema, settings: Settings, spans: Spans | None) -> Execution:
    if spans is None:
        return Execution(schema, compiled=settings.compiled_execution)
    redactor = Redactor(settings.redaction_patterns)
    return TracedExecution(
        schema,
        compiled=settings.compiled_execution,
        spans=spans,
        redact=lambda text: redactor.text(text)[0],
    )


class Application(Starlette):
    """Starlette, but for the one endpoint that almost every request is for: routing costs as much as answering."""

    def __init__(
        self, endpoint: GraphQLEndpoint, settings: Settings, spans: Spans | None, **given: Any
    ) -> None:
        super().__init__(**given)
        self._endpoint, self._settings, self._spans = endpoint, settings, spans

    def build_middleware_stack(self) -> ASGIApp:
        """The log of requests around the endpoint, or around Starlette's own stack."""
        takes, others = self._endpoint.takes, super().build_middleware_stack()
        endpoint = InternalFaults(self._endpoint)

        async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
            await (endpoint if takes(scope) else others)(scope, receive, send)

        logged = RequestLog(only_by_name(open_to_origins(chosen, self._settings), self._settings))
        return logged if self._spans is None else RequestSpans(logged, self._spans)


async def _start_page(_: Request) -> Response:
    return RedirectResponse("/graphql", headers=ON_DATA)


async def _not_routed(request: Request, error: HTTPException) -> Response:
    """Another path, or another method: told in the form of every other error."""
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message, code = f"{request.url.path} does not take {request.method}", "BAD_USER_INPUT"
    else:
        message, code = "there is nothing here; the API is at /graphql", "NOT_FOUND"
    return failed(message, code, error.status_code, JSON, error.headers)
