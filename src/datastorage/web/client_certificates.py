"""uvicorn's HTTP protocol, which also tells the application whose client certificate TLS has verified.

As ASGI's TLS extension has it. To be given to uvicorn as `http=` where the process serves TLS itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

from cryptography import x509
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class CertifiedProtocol(HttpToolsProtocol):
    """One connection."""

    _tls: dict[str, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Reads the certificate once for all requests of the connection."""
        super().connection_made(transport)
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is not None:
            self._tls = {"client_cert_name": _subject(ssl_object.getpeercert(binary_form=True))}

    def on_message_begin(self) -> None:
        """Puts it beside what the scope has."""
        super().on_message_begin()
        if self._tls is not None:
            self.scope["extensions"] = dict[Any, Any](tls=self._tls)


def _subject(certificate: bytes | None) -> str | None:
    """As in RFC 4514; None without a certificate, or without a name in it."""
    if certificate is None:
        return None
    return x509.load_der_x509_certificate(certificate).subject.rfc4514_string() or None
