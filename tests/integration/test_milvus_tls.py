"""TLS and token towards Milvus. In a process of its own: gRPC reads only once whom it trusts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.milvus_gate import gate
from support.milvus_server import MilvusServer
from support.servers import self_signed

TOKEN = "root:Sesam-0effne-dich"
STORES_ONE = """
import asyncio
import numpy as np
from datastorage.errors import EngineUnavailable
from datastorage.settings import load_settings
from datastorage.vector_engine.configured import configured_engine

async def main():
    engine = configured_engine(load_settings())
    try:
        await engine.prepare("model", 2)
        await engine.upsert("model", {b"h" * 32: np.array([1, 0], np.float32)})
        print(len(await engine.page("model", b"", 10)), "stored")
    except EngineUnavailable as refused:
        print(refused)
    await engine.close()

asyncio.run(main())
"""


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[bytes, Path]:
    """The key, and where the certificate lies."""
    key, content = self_signed("localhost")
    (tmp_path / "server.crt").write_bytes(content)
    return key, tmp_path / "server.crt"


@pytest.fixture
def port(tmp_path: Path, certificate: tuple[bytes, Path]) -> Iterator[int]:
    server = MilvusServer(tmp_path / "milvus").start()
    key, path = certificate
    with gate(server.port, TOKEN, key, path.read_bytes()) as own_port:
        yield own_port
    server.kill()


def told(url: str, token: str, trusted: Path | None) -> str:
    """What a process with these settings says."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DATASTORAGE_")},
        "DATASTORAGE_VECTOR_ENGINE_URL": url,
        "DATASTORAGE_VECTOR_ENGINE_TOKEN": token,
        **({"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(trusted)} if trusted else {}),
    }
    done = subprocess.run(
        [sys.executable, "-c", STORES_ONE], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_tls_and_token_open_the_gate_and_nothing_less_does(
    port: int, certificate: tuple[bytes, Path]
) -> None:
    _, trusted = certificate

    assert told(f"milvus+tls://localhost:{port}", TOKEN, trusted) == "1 stored"
    assert "UNAUTHENTICATED" in told(f"milvus+tls://localhost:{port}", "root:wrong", trusted)
    assert "The vector engine fails" in told(f"milvus+tls://localhost:{port}", TOKEN, None)  # not trusted
    assert "The vector engine fails" in told(f"milvus://localhost:{port}", TOKEN, trusted)  # no TLS
