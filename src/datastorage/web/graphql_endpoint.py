"""POST and GET /graphql: reads the operation, executes it, answers. Browsers get GraphiQL instead."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from datastorage.domain.caller import Caller
from datastorage.graphql.compiled.execution import Execution, ran
from datastorage.graphql.context import Context
from datastorage.limits import DEADLINE_GRACE_S
from datastorage.observability.log_context import tell
from datastorage.settings import Settings
from datastorage.web.documents import Documents
from datastorage.web.graphiql import graphiql_page, wants_page
from datastorage.web.graphql_request import (
    Operation,
    Unreadable,
    asks_something,
    read_operation,
    wants_cost,
)
from datastorage.web.graphql_response import JSON, executed, failed, negotiated, refused
from datastorage.web.headers import header
from datastorage.web.identity import authenticate
from datastorage.web.in_flight import InFlight
from datastorage.web.reading import read
from datastorage.web.refusals import REFUSALS, refusal
from datastorage.web.request_log import OPERATION

PATH: Final = "/graphql"
METHODS: Final = ("GET", "POST")
_WHICH: Final = "name one of the document's operations in operationName"
_READS: Final = {OperationType.QUERY}
_ALL: Final = {OperationType.QUERY, OperationType.MUTATION}


class GraphQLEndpoint:
    """The one endpoint of the API."""

    def __init__(self, execution: Execution, documents: Documents, settings: Settings) -> None:
        self._execution, self._documents = execution, documents
        self._graphiql, self._timeout_s = settings.graphiql, settings.request_timeout_s
        self._body_bytes_max = settings.request_body_bytes_max
        self._in_flight = InFlight(settings.requests_in_flight_max)

    def takes(self, scope: Scope) -> bool:
        """Whether a request is for this endpoint."""
        return (
            scope["type"] == "http"
            and scope["path"] == PATH
            and scope["method"] in METHODS
            and not scope.get("root_path")
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI wants it, without a router."""
        response = await self.handle(Request(scope, receive))
        await response(scope, receive, send)

    async def handle(self, request: Request) -> Response:
        """Answers one request."""
        accept = header(request, b"accept") or ""
        is_read = request.method != "POST"
        if is_read and not asks_something(request) and wants_page(accept):
            return graphiql_page() if self._graphiql else failed("GraphiQL is off", "NOT_FOUND", 404, JSON)
        media = JSON
        try:
            caller = await authenticate(request)
            media = negotiated(accept)
            operation = await read_operation(request, self._body_bytes_max)
            operation = await self._documents.resolved(operation, caller)
            with self._in_flight:
                return await self._executed(request, caller, operation, media)
        except REFUSALS as error:
            return await refusal(request, error, media)

    async def _executed(self, request: Request, caller: Caller, operation: Operation, media: str) -> Response:
        request.scope[OPERATION] = label = operation.label
        tell("operation", label)
        if operation.is_ambiguous:
            return refused(_WHICH, media)
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        context = Context(request.app.state.deps, caller, deadline)
        writes = "mutation" in operation.query  # then it ends by itself; what takes even longer is broken off
        try:
            async with asyncio.timeout_at(deadline + DEADLINE_GRACE_S if writes else deadline):
                execute = partial(
                    self._execution.execute,
                    operation.query,
                    operation.variables,
                    operation.name,
                    context,
                    _ALL if request.method == "POST" else _READS,
                )
                result = await (execute() if writes else read(context.deps.database, execute))
        except TimeoutError:
            # A mutation may stand although its answer came too late; repeating it is safe and tells.
            return failed(
                "the request took too long; narrow it or try again",
                "TIMEOUT",
                504,
                media,
                retryable=True,
                outcomeUnknown=writes,
            )
        except CannotGetOperationTypeError:
            return refused(_WHICH, media)
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                return refused("subscriptions are not supported", media)
            raise Unreadable(405, "mutations need POST", {"allow": "POST"}) from None
        if operation.sha256 is not None and ran(result):
            await self._documents.remember(operation)
        if wants_cost(request) and context.cost is not None:
            cost = {"found": context.cost, "max": self._execution.limits.cost}
            result.extensions = {**(result.extensions or {}), "cost": cost}
        return executed(result, media, context.refusals)
