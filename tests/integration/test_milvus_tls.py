"""TLS and token towards Milvus. In processes of their own: gRPC reads only once whom it trusts."""

import json
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
STORE_ONE_EACH = """
import asyncio, json, sys
import numpy as np
from datastorage.errors import EngineUnavailable
from datastorage.settings import Settings
from datastorage.vector_engine.configured import configured_engine

async def told(url, token):
    engine = configured_engine(Settings(_env_file=None, vector_engine_url=url, vector_engine_token=token))
    try:
        await engine.prepare("model", 2)
        await engine.upsert("model", {b"h" * 32: np.array([1, 0], np.float32)})
        return f"{len(await engine.page('model', b'', 10))} stored"
    except EngineUnavailable as refused:
        return str(refused)
    finally:
        await engine.close()

async def main():
    print(json.dumps([await told(*place) for place in json.load(sys.stdin)]))

asyncio.run(main())
"""


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[bytes, Path]:
    """The key, and where the certificate lies."""
    key, content = self_signed("localhost")
    (tmp_path / "server.crt").write_bytes(content)
    return key, tmp_path / "server.crt"


@pytest.fixture
def port(milvus: MilvusServer, certificate: tuple[bytes, Path]) -> Iterator[int]:
    key, path = certificate
    with gate(milvus.port, TOKEN, key, path.read_bytes()) as own_port:
        yield own_port


def told(places: list[tuple[str, str]], trusted: Path | None) -> list[str]:
    """What a process is told with each of these addresses and tokens."""
    trust = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(trusted)} if trusted else {}
    done = subprocess.run(
        [sys.executable, "-c", STORE_ONE_EACH],
        env=os.environ | trust,
        input=json.dumps(places),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_tls_and_token_open_the_gate_and_nothing_less_does(
    port: int, certificate: tuple[bytes, Path]
) -> None:
    _, trusted = certificate
    tls, plain = f"milvus+tls://localhost:{port}", f"milvus://localhost:{port}"

    stored, wrong_token, no_tls = told([(tls, TOKEN), (tls, "root:wrong"), (plain, TOKEN)], trusted)
    (not_trusted,) = told([(tls, TOKEN)], None)

    assert stored == "1 stored"
    assert wrong_token == "The vector engine does not accept the token (UNAUTHENTICATED)."
    assert no_tls.startswith("The vector engine cannot be reached")
    assert not_trusted.startswith("The vector engine cannot be reached")
