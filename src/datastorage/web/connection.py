"""One connection: uvicorn's HTTP protocol, with bounds, patience that ends, and the client's certificate.

uvicorn waits for ever for a request to arrive, and for an answer to be taken in.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from math import inf
from typing import Any, cast

from cryptography import x509
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from datastorage.limits import (
    CONNECTIONS_LOOKED_AT,
    CONNECTIONS_MAX,
    REQUEST_HEAD_BYTES_MAX,
    TAKEN_BYTES_MIN,
)
from datastorage.observability.labels import CutOff
from datastorage.observability.metrics import count_cut_off
from datastorage.web.connection_answers import BROKEN, HEAD_TOO_LARGE, TOO_MANY, TOO_SLOW
from datastorage.web.whole_answer import WholeAnswer


class Connection(HttpToolsProtocol):
    """uvicorn's `http=`, with `client_timeout_s` bound.

    `owed_by` is when what the client owes must have arrived, `_taken_by` when it must have taken in what waits to be
    sent, or much of it. One timer looks at both: setting one for each request would cost more than all else here.
    """

    connections_max = CONNECTIONS_MAX

    def __init__(self, *given: Any, client_timeout_s: float, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience_s = client_timeout_s
        self.owed_by = self._taken_by = inf
        self._unsent_bytes = 0
        self._reads_head, self._head_bytes = True, 0
        self._refusal = BROKEN
        self._watch: asyncio.TimerHandle | None = None
        self._tls: dict[str, Any] | None = None

    # --- what uvicorn and its parser tell

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait; reads the certificate once for all requests of the connection."""
        super().connection_made(transport)
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is not None:
            self._tls = {"client_cert_name": _subject(ssl_object.getpeercert(binary_form=True))}
        self.owed_by = self._soon()
        self._watch = self.loop.call_at(self.owed_by, self._look)
        if len(self.connections) > self.connections_max:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Whatever is sent begins a request, and the parser keeps what is no whole head yet."""
        if self.owed_by == inf:
            self.owed_by = self._soon()
        if self._reads_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._reads_head and self._head_bytes > REQUEST_HEAD_BYTES_MAX and not self.transport.is_closing():
            self._refuse(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Puts the certificate beside what the scope has, as ASGI's TLS extension has it."""
        super().on_message_begin()
        if self.owed_by == inf:  # the head of the next request came with the rest of this one
            self.owed_by = self._soon()
        if self._tls is not None:
            self.scope["extensions"] = dict[Any, Any](tls=self._tls)

    def on_headers_complete(self) -> None:
        """From here on the body is owed."""
        if (
            self._head_bytes > REQUEST_HEAD_BYTES_MAX
            and _size(self.url, self.headers) > REQUEST_HEAD_BYTES_MAX
        ):
            self._refusal = HEAD_TOO_LARGE
            raise ValueError  # has the parser stop, and `send_400_response` be called
        self._reads_head, self.owed_by = False, self._soon()
        super().on_headers_complete()
        if (
            type(self.cycle) is RequestResponseCycle
        ):  # None after an upgrade; begun for this request, and not running yet
            self.cycle.__class__ = WholeAnswer

    def on_message_complete(self) -> None:
        """Nothing is owed until the next request begins."""
        self._reads_head, self._head_bytes, self.owed_by = True, 0, inf
        super().on_message_complete()

    def send_400_response(self, _msg: str) -> None:
        """In the form of every other error."""
        self._refuse(self._refusal)

    def on_response_complete(self) -> None:
        """The answer is handed over, and may wait here."""
        self._wait_to_be_taken()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """More waits to be sent than is good."""
        self._wait_to_be_taken()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client goes on taking it in; there is a rest."""
        self._wait_to_be_taken()
        super().resume_writing()

    # --- the end of patience

    def _soon(self) -> float:
        return self.loop.time() + self._patience_s

    def _wait_to_be_taken(self) -> None:
        self._taken_by, self._unsent_bytes = self._soon(), self.transport.get_write_buffer_size()

    def _look(self) -> None:
        now = self.loop.time()
        if self._taken_by <= now:
            before, self._unsent_bytes = self._unsent_bytes, self.transport.get_write_buffer_size()
            if self._unsent_bytes and self._unsent_bytes > before - TAKEN_BYTES_MIN:
                count_cut_off(CutOff.SLOW)
                self.transport.abort()
                return
            self._taken_by = self._soon() if self._unsent_bytes else inf
        if self.owed_by <= now:
            if self._waits_for_us:
                self.owed_by = self._soon()
            elif not self._give_up():
                return
        self._watch = self.loop.call_at(min(self.owed_by, self._taken_by, self._soon()), self._look)

    @property
    def _waits_for_us(self) -> bool:
        """Whether nothing arrives because we do not read, or the next request because this one is not answered."""
        return self.flow.read_paused or (self._reads_head and self._answers)

    @property
    def _answers(self) -> bool:
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _give_up(self) -> bool:
        """Whether there is still something to look at: an answer on its way out."""
        if self.transport.is_closing() or (self._answers and self.cycle.response_started):
            count_cut_off(CutOff.SLOW)
            self.transport.abort()
            return False
        self.owed_by = inf
        if self._reads_head and not self._head_bytes:  # kept ready, and never used: no fault
            self.transport.close()
        else:
            count_cut_off(CutOff.SLOW)
            self._refuse(TOO_SLOW)
        return True

    def _refuse(self, answer: tuple[bytes, bytes]) -> None:
        """Answers in the application's stead, unless it has begun to, and hangs up."""
        if not (self._answers and (self.cycle.response_started or self._reads_head)):
            status, rest = answer
            given = b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)
            self.transport.write(status + given + rest)
        if self._answers:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._wait_to_be_taken()
        self.transport.close()

    def _make_room(self) -> None:
        """Ends the one that has kept us waiting longest, of some: who is slow on purpose only crowds out its own."""
        some = cast("list[Connection]", list(islice(self.connections, CONNECTIONS_LOOKED_AT)))
        slowest = min(some, key=lambda connection: connection.owed_by)
        count_cut_off(CutOff.CROWDED)
        if slowest.owed_by < self.owed_by:
            slowest.transport.abort()
        else:
            self._refuse(TOO_MANY)


def _size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def _subject(certificate: bytes | None) -> str | None:
    """As in RFC 4514; None without a certificate, or without a name in it."""
    if certificate is None:
        return None
    return x509.load_der_x509_certificate(certificate).subject.rfc4514_string() or None
