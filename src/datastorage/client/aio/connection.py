"""Sends operations to one service, again where that may help."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
from tenacity import AsyncRetrying

from datastorage.client import request
from datastorage.client.answers import data_of, unreached
from datastorage.client.operation import Operation
from datastorage.client.retries import Retries

T = TypeVar("T")

TIMEOUT_S: Final = 30.0


class AsyncConnection:
    """A service, and how to talk to it. Close it, or use it in a `with` block.

    url: of the service, with or without `/graphql`.
    actor: who writes; kept with every event.
    token: sent as `Authorization: Bearer …`.
    timeout_s: of one attempt. retries: see there.
    http: a client of your own, for a proxy, certificates or tests; it stays open.
    """

    def __init__(
        self,
        url: str,
        *,
        actor: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
        retries: Retries | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self.url: Final = request.endpoint(url)
        self.retries: Final = retries or Retries()
        self._headers = request.headers(actor, token, headers or {})
        self._timeout_s = timeout_s
        self._http = http or httpx.AsyncClient()
        self._closes_http = http is None

    async def execute(
        self, document: str, variables: Mapping[str, Any] | None = None, operation_name: str | None = None
    ) -> dict[str, Any]:
        """The data of any GraphQL document. Errors: DataStorageError; typed ones of mutations stay in the data."""
        body = request.body(document, variables or {}, operation_name)
        writes = "mutation" in document  # rather too often than not: then a lost answer's outcome is unknown
        data: dict[str, Any] = await AsyncRetrying(**self.retries.policy())(self.send, body, writes=writes)
        return data

    async def run(self, operation: Operation[T], variables: Mapping[str, Any]) -> T:
        """The result of one operation. Errors: DataStorageError."""
        body = request.body(operation.document, request.arguments(variables))
        result: T = await AsyncRetrying(**self.retries.policy())(self._read, operation, body)
        return result

    async def send(self, body: bytes, *, writes: bool) -> dict[str, Any]:
        """The data that one request is answered with; not sent again. Errors: DataStorageError."""
        try:
            response = await self._http.post(
                self.url, content=body, headers=self._headers, timeout=self._timeout_s
            )
        except httpx.HTTPError as failure:
            raise unreached(failure, self.url, writes=writes) from failure
        return data_of(response, writes=writes)

    async def aclose(self) -> None:
        """Closes the connections, unless they belong to a client that was given."""
        if self._closes_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _read(self, operation: Operation[T], body: bytes) -> T:
        return operation.read(await self.send(body, writes=operation.writes))
