"""The last guard, where no answer can be given any more."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from datastorage.web.internal_faults import InternalFaults

START: Message = {"type": "http.response.start", "status": 200, "headers": []}


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def test_an_answer_that_has_begun_is_broken_off() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def broken(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(START)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await InternalFaults(broken)({"type": "http"}, receive, send)

    assert sent == [START]


async def test_a_start_that_fails_is_the_servers_to_tell() -> None:
    async def broken(*_: object) -> None:
        raise ConnectionError

    async def send(_: Message) -> None:
        pytest.fail("nothing is to be sent")

    with pytest.raises(ConnectionError):
        await InternalFaults(broken)({"type": "lifespan"}, receive, send)
