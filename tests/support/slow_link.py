"""A TCP link to a server that can be made slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

PIECE_BYTES = 64 * 1024


class SlowLink:
    """Hands on what both sides of its connections send; `delay_s` later what goes to the server, from now on."""

    def __init__(self, server_port: int) -> None:
        self.delay_s = 0.0
        self.port = 0
        self._server_port = server_port
        self._connections: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Ends every connection."""
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes a connection; a task of our own, since one that the server makes is told of as broken when cancelled."""
        connection = asyncio.create_task(self._connected(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until a side ends it."""
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(
                self._handed_on(reader, to_server, asks=True), self._handed_on(from_server, writer)
            )
        finally:
            writer.close()
            to_server.close()

    async def _handed_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool = False
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(PIECE_BYTES):
                if asks:
                    await asyncio.sleep(self.delay_s)
                writer.write(piece)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def slow_link(server_port: int) -> AsyncIterator[SlowLink]:
    """A link to the server on this port, not slow yet."""
    link = SlowLink(server_port)
    server = await asyncio.start_server(link.connect, "127.0.0.1", 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        await link.close()
