"""Real connections: how long a client may take, how large a head may be, and what is answered to what is no HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from datastorage.limits import REQUEST_HEAD_BYTES_MAX
from datastorage.observability.labels import CutOff
from datastorage.observability.metrics import CUT_OFF
from datastorage.web.connection import Connection
from support.listening import listening
from support.service import wait_until

SHORT_S = 0.3
LARGE = b"x" * 50_000_000  # more than the kernel takes in for a client that does not read
GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n"
POST = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers how much it was sent; waits, or answers much, where the path says so."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    if scope["path"] == "/late":
        await asyncio.sleep(4 * SHORT_S)
    body = LARGE if scope["path"] == "/large" else str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Client:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def trickles(self, data: bytes) -> None:
        """Says it again and again, until nobody listens any more."""
        while not self.reader.at_eof():
            try:
                await self.says(data)
            except OSError:
                break
            await asyncio.sleep(SHORT_S / 10)

    async def hears(self) -> bytes:
        """All until the end."""
        return await self.reader.read()

    async def answer(self) -> tuple[int, bytes]:
        """One answer, with its length."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head.split()[1]), await self.reader.readexactly(length)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    async with listening(application, client_timeout_s=SHORT_S) as port:
        yield port


def told(said: bytes) -> tuple[int, str, str]:
    """Status, code and message of the one answer that was heard, and that closes the connection."""
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in head
    assert b"\r\nx-content-type-options: nosniff\r\n" in head
    (error,) = json.loads(body)["errors"]
    return int(head.split()[1]), error["extensions"]["code"], error["message"]


def cut_off(reason: CutOff = CutOff.SLOW) -> float:
    return CUT_OFF.labels(reason)._value.get()


# --- slow clients


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(b"GET /", b"x", id="a target without end"),
        pytest.param(GET, b"x: y\r\n", id="headers without end"),
        pytest.param(b"", b"\r\n", id="blank lines before a request"),
        pytest.param(POST, b"x", id="a body that trickles"),
        pytest.param(POST, b"", id="a body that never comes"),
        pytest.param(GET + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks without end"),
    ],
)
async def test_a_request_that_does_not_arrive_in_time_is_refused(
    port: int, first: bytes, then: bytes
) -> None:
    before = cut_off()

    async with connected(port) as client:
        await client.says(first)
        trickling = asyncio.create_task(client.trickles(then))
        said = await client.hears()
        await trickling

    assert told(said) == (408, "TIMEOUT", "the request took too long to arrive")
    assert cut_off() == before + 1


async def test_a_connection_on_which_nothing_comes_ends_in_silence(port: int) -> None:
    before = cut_off()

    async with connected(port) as client:
        assert await client.hears() == b""

    assert cut_off() == before


async def test_the_time_begins_anew_with_each_request(port: int) -> None:
    async with connected(port) as client:
        for _ in range(4):
            await client.says(POST + b"x" * 50)
            await asyncio.sleep(SHORT_S / 2)
            await client.says(b"x" * 50)
            assert await client.answer() == (200, b"100")
        await client.says(GET)
        assert told(await client.hears())[0] == 408


async def test_an_answer_that_takes_long_is_waited_for_and_so_are_requests_behind_it(port: int) -> None:
    async with connected(port) as client:
        await client.says(b"GET /late HTTP/1.1\r\n\r\n" + GET)  # the head of the second is incomplete
        assert await client.answer() == (200, b"0")
        await client.says(b"\r\n")
        assert await client.answer() == (200, b"0")


async def test_a_client_that_does_not_take_in_its_answer_is_cut_off(port: int) -> None:
    before = cut_off()

    async with connected(port) as client:
        client.writer.transport.pause_reading()
        await client.says(b"GET /large HTTP/1.1\r\n\r\n")
        await asyncio.to_thread(wait_until, lambda: cut_off() == before + 1)
        client.writer.transport.resume_reading()
        assert len(await client.hears()) < len(LARGE)


async def test_a_client_that_takes_it_in_slowly_but_steadily_gets_all_of_it(port: int) -> None:
    async with connected(port) as client:
        await client.says(b"GET /large HTTP/1.1\r\nconnection: close\r\n\r\n")
        taken = 0
        while piece := await client.reader.read(5_000_000):
            taken += len(piece)
            await asyncio.sleep(0.001)

    assert taken > len(LARGE)


async def test_200_slow_clients_hold_up_nobody() -> None:
    async with listening(application, client_timeout_s=30) as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        for number, (_, writer) in enumerate(slow):
            writer.write(GET if number % 2 else POST)
        async with connected(port) as client:
            for _ in range(200):
                await client.says(POST + b"x" * 100)
                assert await client.answer() == (200, b"100")
        assert not any(reader.at_eof() for reader, _ in slow)
        for _, writer in slow:
            writer.close()


async def test_where_no_more_connections_are_kept_the_slowest_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Connection, "connections_max", 3)
    before = cut_off(CutOff.CROWDED)

    async with listening(application) as port, connected(port) as first, connected(port) as second:
        await first.says(GET)
        await asyncio.sleep(0.01)  # the loop's clock counts milliseconds: the others are younger
        await second.says(POST)
        async with connected(port) as third, connected(port) as fourth:
            assert await first.hears() == b""
            for client in (third, fourth):
                await client.says(GET + b"\r\n")
                assert await client.answer() == (200, b"0")

    assert cut_off(CutOff.CROWDED) == before + 1


async def test_where_all_connections_are_being_answered_a_new_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Connection, "connections_max", 1)

    async with listening(application) as port, connected(port) as first:
        await first.says(b"GET /late HTTP/1.1\r\n\r\n")
        await asyncio.sleep(SHORT_S)
        async with connected(port) as second:
            said = await second.hears()
        assert await first.answer() == (200, b"0")

    assert told(said) == (503, "UNAVAILABLE", "too many connections are open; try again")


# --- heads and what is no HTTP


def head_of(size: int) -> bytes:
    """A request whose target and headers have so many bytes, as they are counted."""
    fixed = len("/") + len("host") + len("localhost") + 4 + len("pad") + 4
    return GET + b"pad: " + b"x" * (size - fixed) + b"\r\n\r\n"


@pytest.mark.parametrize("pieces", [1, 50])
async def test_a_head_may_have_so_many_bytes_and_no_more(port: int, pieces: int) -> None:
    async def sent(head: bytes) -> bytes:
        async with connected(port) as client:
            step = -(-len(head) // pieces)
            for start in range(0, len(head), step):
                await client.says(head[start : start + step])
                await asyncio.sleep(0)
            await client.says(b"")
            return (await client.reader.readuntil(b"\r\n"))[:12]

    assert await sent(head_of(REQUEST_HEAD_BYTES_MAX)) == b"HTTP/1.1 200"
    assert await sent(head_of(REQUEST_HEAD_BYTES_MAX + 1)) == b"HTTP/1.1 431"


@pytest.mark.parametrize(
    "endless", [b"GET /" + b"x" * 70_000, GET + b"x" * 70_000, GET + b"a: b\r\n" * 12_000]
)
async def test_a_head_without_end_is_not_kept(port: int, endless: bytes) -> None:
    async with connected(port) as client:
        await client.says(endless)
        said = await client.hears()

    status, code, message = told(said)
    assert (status, code) == (431, "BAD_USER_INPUT")
    assert message.startswith("the head of the request is larger than 32768 bytes")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on a port without
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    ],
)
async def test_what_is_no_http_is_told_so(port: int, nonsense: bytes) -> None:
    async with connected(port) as client:
        await client.says(nonsense)
        assert told(await client.hears()) == (400, "BAD_USER_INPUT", "this is no HTTP request")


async def test_nonsense_behind_a_request_does_not_take_its_answer(port: int) -> None:
    async with connected(port) as client:
        await client.says(b"GET /late HTTP/1.1\r\n\r\n" + b"\x00nonsense\r\n\r\n")
        assert await client.hears() == b""


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_another_protocol_is_not_changed_to(port: int, protocol: bytes) -> None:
    async with connected(port) as client:
        await client.says(GET + b"connection: upgrade\r\nupgrade: " + protocol + b"\r\n\r\n")
        assert await client.answer() == (200, b"0")
