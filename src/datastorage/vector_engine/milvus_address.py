"""Where Milvus is: read from the setting, told to pymilvus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from datastorage.settings import MILVUS_SCHEMES

RECONNECT_MS_MAX: Final = 1_000  # gRPC's own are two minutes: so long the engine would be back and not in use


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """A server, or the file of a Milvus Lite."""

    uri: str  # as pymilvus wants it
    database: str = ""
    token: str = field(default="", repr=False)

    @classmethod
    def parsed(cls, url: str, token: str = "") -> MilvusAddress:
        """From the URL of the settings, which has been checked."""
        parts = urlsplit(url)
        if parts.scheme not in MILVUS_SCHEMES:
            return cls(url, token=token)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        scheme = "https" if parts.scheme == "milvus+tls" else "http"
        return cls(f"{scheme}://{host}:{parts.port or 19_530}", parts.path.strip("/"), token)

    @property
    def is_file(self) -> bool:
        """Whether the server runs in this process."""
        return "://" not in self.uri

    @property
    def arguments(self) -> dict[str, Any]:
        """Those of both clients of pymilvus."""
        return {
            "uri": self.uri,
            "db_name": self.database,
            "token": self.token,
            "grpc_options": {"grpc.max_reconnect_backoff_ms": RECONNECT_MS_MAX},
        }

    def release(self) -> None:
        """Ends the server of a file; with a real one there is nothing to do."""
        if self.is_file:
            from milvus_lite.server_manager import (  # noqa: PLC0415 -- installed by those who use a file
                server_manager_instance,
            )

            server_manager_instance.release_server(self.uri)
