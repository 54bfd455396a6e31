"""TLS served by the process itself. uvicorn calls it in every worker, hence picklable."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import structlog

from datastorage.errors import StartupError
from datastorage.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TlsFiles:
    """What TLS is served with."""

    certificate: Path
    key: Path | None = None
    key_password: str | None = field(default=None, repr=False)
    client_authorities: Path | None = None

    @classmethod
    def configured(cls, settings: Settings) -> Self | None:
        """As the settings have it; None without TLS."""
        if settings.tls_cert_file is None:
            return None
        password = settings.tls_key_password
        return cls(
            settings.tls_cert_file,
            settings.tls_key_file,
            None if password is None else password.get_secret_value(),
            settings.tls_client_ca_file,
        )

    def __call__(self, *_: Any) -> ssl.SSLContext:
        """As uvicorn wants its `ssl_context_factory`. Files that are renewed count from the next connection on."""
        return _renewing(self)

    def loaded(self) -> ssl.SSLContext:
        """As the files are now. Errors: StartupError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        password = self.key_password or ""  # None would have OpenSSL ask on the terminal
        try:
            context.load_cert_chain(self.certificate, self.key, lambda: password)
        except OSError as error:
            files = " and ".join(str(file) for file in (self.certificate, self.key) if file is not None)
            raise StartupError(f"TLS cannot use {files}: {_why(error)}") from None
        if self.client_authorities is not None:
            try:
                context.load_verify_locations(self.client_authorities)
            except OSError as error:
                raise StartupError(f"TLS cannot use {self.client_authorities}: {_why(error)}") from None
            # Who shows none is told so by authentication; probes never show one.
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def stamps(self) -> list[int]:
        """Other ones when a file is another one."""
        files = (self.certificate, self.key, self.client_authorities)
        return [file.stat().st_mtime_ns for file in files if file is not None and file.exists()]


def _renewing(files: TlsFiles) -> ssl.SSLContext:
    first = newest = files.loaded()
    seen = files.stamps()

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called in every handshake."""
        nonlocal newest, seen
        stamps = files.stamps()
        if stamps != seen:
            seen = stamps
            try:
                newest = files.loaded()
            except StartupError as error:  # half written, perhaps: the old one is good for a while
                log.error("tls_not_renewed", detail=str(error))  # noqa: TRY400 -- told in full
            else:
                log.info("tls_renewed")
        if newest is not first:
            connection.context = newest

    first.sni_callback = choose
    return first


def _why(error: OSError) -> str:
    """What OpenSSL or the system says, without its place in their sources."""
    if isinstance(error, ssl.SSLError):
        known = {
            "KEY_VALUES_MISMATCH": "the key is not the certificate's",
            "NO_START_LINE": "no PEM is in it",
        }
        return known.get(error.reason or "", (error.reason or "not usable").lower().replace("_", " "))
    return str(error.strerror or error)
