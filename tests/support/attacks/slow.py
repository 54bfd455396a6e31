"""Clients that connect, and then take their time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HEAD = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
KINDS = {
    "nothing": (b"", b""),
    "a head": (HEAD, b"x: y\r\n"),
    "a body": (HEAD + b"content-length: 1000000\r\n\r\n", b" "),
    "chunks": (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}
EVERY_S = 0.5


class SlowClients:
    """Some connections, of each kind as many."""

    def __init__(self, number: int) -> None:
        self.number, self.open = number, 0
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self, host: str, port: int) -> None:
        """Returns when all are connected."""
        kinds = list(KINDS.values())
        connections = [await asyncio.open_connection(host, port) for _ in range(self.number)]
        self.open = self.number
        self._tasks = [
            asyncio.create_task(self._trickle(reader, writer, *kinds[place % len(kinds)]))
            for place, (reader, writer) in enumerate(connections)
        ]

    async def wait_until_cut_off(self) -> None:
        """Returns when the server has ended all of them."""
        await asyncio.gather(*self._tasks)

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _trickle(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes, then: bytes
    ) -> None:
        try:
            writer.write(first)
            while not reader.at_eof():
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(), EVERY_S)
                writer.write(then)
        except OSError:
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def slow_clients(host: str, port: int, number: int) -> AsyncIterator[SlowClients]:
    """They are gone in the end."""
    clients = SlowClients(number)
    await clients.connect(host, port)
    try:
        yield clients
    finally:
        await clients.leave()
