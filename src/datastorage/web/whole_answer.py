"""An answer whose size is known goes out in one piece: one system call, one packet, and the client wakes up once.

uvicorn sends head and body each by itself. Here the head waits for the body, which ASGI has follow it.
"""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_DECIDE_HOW_IT_IS_SENT: Final = frozenset({b"connection", b"transfer-encoding"})


class WholeAnswer(RequestResponseCycle):
    """What uvicorn makes for each request; whatever is no whole answer stays uvicorn's business."""

    _head: Any = None

    async def send(self, message: Any) -> None:
        """ASGI's way to answer."""
        if message["type"] == "http.response.start" and self._head is None and not self.response_started:
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None:
            whole = None if message.get("more_body") else self._whole(head, message)
            if whole is not None:
                self._sent(whole)
                return
            await super().send(head)
        await super().send(message)

    def _whole(self, head: Any, message: Any) -> bytes | None:
        """The bytes of an answer; None if there is anything to look at more closely."""
        if (
            self.flow.write_paused
            or self.disconnected
            or self.access_log
            or not self.keep_alive
            or self.scope["method"] == "HEAD"
        ):
            return None
        body = message.get("body", b"")
        length = None
        lines = [STATUS_LINE[head["status"]]]
        headers = [*self.default_headers, *head["headers"]]
        for name, value in headers:
            if name == b"content-length":
                length = value
            elif name in _DECIDE_HOW_IT_IS_SENT:
                return None
            lines += (name, b": ", value, b"\r\n")
        text = b"".join(lines)
        has_broken_lines = text.count(b"\n") != len(headers) + 1 or text.count(b"\r") != len(headers) + 1
        if has_broken_lines or length != b"%d" % len(body):
            return None  # uvicorn says what is wrong
        return b"%b\r\n%b" % (text, body)

    def _sent(self, answer: bytes) -> None:
        """As uvicorn leaves it after an answer."""
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.expected_content_length = 0
        self.transport.write(answer)
        self.message_event.set()
        self.on_response()
