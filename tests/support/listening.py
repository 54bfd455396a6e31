"""An application behind a real socket of this process, on the connections that a service has."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvicorn

from datastorage.web.connection import Connection
from datastorage.web.tls import TlsFiles


@asynccontextmanager
async def listening(
    app: Any, tls: TlsFiles | None = None, client_timeout_s: float = 30
) -> AsyncIterator[int]:
    """Yields the port on 127.0.0.1."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=500)
    config = uvicorn.Config(
        app,
        http=partial(Connection, client_timeout_s=client_timeout_s),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        ssl_context_factory=tls,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
