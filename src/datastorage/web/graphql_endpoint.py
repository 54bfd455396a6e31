"""POST and GET /graphql: reads the operation, executes it, answers. Browsers get GraphiQL instead."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from datastorage.domain.caller import Caller
from datastorage.errors import Unauthenticated, Unavailable
from datastorage.graphql.compiled.execution import Execution
from datastorage.graphql.context import Context
from datastorage.web.graphiql import graphiql_page, wants_page
from datastorage.web.graphql_request import Operation, Unreadable, read_operation
from datastorage.web.graphql_response import JSON, executed, failed, negotiated, refused
from datastorage.web.identity import authenticate, not_let_in
from datastorage.web.request_log import OPERATION

PATH: Final = "/graphql"
METHODS: Final = ("GET", "POST")
_WHICH: Final = "name one of the document's operations in operationName"
_READS: Final = {OperationType.QUERY}
_ALL: Final = {OperationType.QUERY, OperationType.MUTATION}


class GraphQLEndpoint:
    """The one endpoint of the API."""

    def __init__(self, execution: Execution, *, graphiql: bool, request_timeout_s: float) -> None:
        self._execution, self._graphiql, self._timeout_s = execution, graphiql, request_timeout_s

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
        accept = request.headers.get("accept", "")
        is_read = request.method != "POST"
        if is_read and "query" not in request.query_params and wants_page(accept):
            return graphiql_page() if self._graphiql else failed("GraphiQL is off", "NOT_FOUND", 404, JSON)
        try:
            caller = await authenticate(request)
        except (Unauthenticated, Unavailable) as refusal:
            return await not_let_in(request, refusal)
        media = JSON
        try:
            media = negotiated(accept)
            return await self._executed(request, caller, await read_operation(request), media)
        except Unreadable as error:
            return failed(str(error), "BAD_USER_INPUT", error.status, media, error.headers)
        except ClientDisconnect:  # nobody reads this answer, but it is logged as what it is
            return failed("the request broke off", "BAD_USER_INPUT", 400, media)

    async def _executed(self, request: Request, caller: Caller, operation: Operation, media: str) -> Response:
        request.scope[OPERATION] = label = operation.label
        structlog.contextvars.bind_contextvars(operation=label)
        if operation.is_ambiguous:
            return refused(_WHICH, media)
        context = Context(request.app.state.deps, caller)
        try:
            async with asyncio.timeout(self._timeout_s):
                result = await self._execution.execute(
                    operation.query,
                    operation.variables,
                    operation.name,
                    context,
                    _ALL if request.method == "POST" else _READS,
                )
        except TimeoutError:
            # A mutation may stand although its answer came too late; repeating it is safe and tells.
            return failed(
                "the request took too long; narrow it or try again",
                "TIMEOUT",
                504,
                media,
                retryable=True,
                outcomeUnknown="mutation" in operation.query,
            )
        except CannotGetOperationTypeError:
            return refused(_WHICH, media)
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                return refused("subscriptions are not supported", media)
            raise Unreadable(405, "mutations need POST", {"allow": "POST"}) from None
        return executed(result, media, context.refusals)
