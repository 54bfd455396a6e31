"""An answer whose size is known is written at once; everything else is written as uvicorn does."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from datastorage.web.whole_answer import WholeAnswer

HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]


class Written:
    """A transport that keeps what is written, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def answer(transport: Written, *, method: str = "POST", keep_alive: bool = True) -> WholeAnswer:
    return WholeAnswer(
        scope={"type": "http", "method": method},  # type: ignore[arg-type]
        transport=transport,  # type: ignore[arg-type]
        flow=FlowControl(transport),  # type: ignore[arg-type]
        logger=logging.getLogger(),
        access_logger=logging.getLogger(),
        access_log=False,
        default_headers=[(b"date", b"today")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: None,
    )


async def send(cycle: WholeAnswer, headers: list[tuple[bytes, bytes]], *bodies: bytes) -> None:
    await cycle.send({"type": "http.response.start", "status": 200, "headers": headers})
    for left, body in reversed(list(enumerate(reversed(bodies)))):
        await cycle.send({"type": "http.response.body", "body": body, "more_body": left > 0})


async def test_head_and_body_are_one_piece() -> None:
    transport = Written()
    cycle = answer(transport)

    await send(cycle, HEADERS, b"{}")

    assert transport.pieces == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    ]
    assert cycle.response_complete
    assert cycle.message_event.is_set()


async def test_a_body_that_comes_in_parts_is_written_part_by_part() -> None:
    transport = Written()

    await send(answer(transport), HEADERS, b"{", b"}")

    assert transport.pieces[1:] == [b"{", b"}"]


@pytest.mark.parametrize(
    ("given", "last"), [({"method": "HEAD"}, b"2\r\n\r\n"), ({"keep_alive": False}, b"{}")]
)
async def test_what_is_no_usual_answer_is_left_to_uvicorn(given: dict[str, Any], last: bytes) -> None:
    transport = Written()

    await send(answer(transport, **given), HEADERS, b"{}")

    assert transport.pieces[-1].endswith(last)
    assert transport.closed is ("keep_alive" in given)


async def test_a_connection_that_is_to_be_closed_is_closed() -> None:
    transport = Written()

    await send(answer(transport), [*HEADERS, (b"connection", b"close")], b"{}")

    assert transport.closed


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb"])
async def test_a_header_with_a_line_in_it_is_never_written(value: bytes) -> None:
    transport = Written()

    with pytest.raises(RuntimeError, match="Invalid HTTP header value"):
        await send(answer(transport), [*HEADERS, (b"x-request-id", value)], b"{}")

    assert transport.pieces == []


async def test_a_body_of_another_length_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Content-Length"):
        await send(answer(Written()), HEADERS, b"{} ")
