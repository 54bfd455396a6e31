"""A real Milvus server of a test's own (Milvus Lite behind gRPC), to be killed, frozen and started again."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import psutil
from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

PATIENCE_S = 120  # two busy cores take long to import what it needs; nothing is measured


class MilvusHost:
    """Starts servers, see `milvus_host`."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program

    def start(self, folder: Path, port: int) -> psutil.Process:
        """The process of a new one, which need not answer yet."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"server --data-dir {folder} --host 127.0.0.1 --port {port}\n")
        self._program.stdin.flush()
        return psutil.Process(int(self._program.stdout.readline()))


@contextmanager
def milvus_host() -> Iterator[MilvusHost]:
    """A host, with whose end its servers end."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("milvus_host.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        yield MilvusHost(program)


class MilvusServer:
    """One server on one port and one folder, through all its restarts."""

    def __init__(self, host: MilvusHost, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._host, self._folder = host, folder
        self._process: psutil.Process | None = None

    @property
    def address(self) -> str:
        """As pymilvus wants it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """As the settings want it."""
        return f"milvus://127.0.0.1:{self.port}"

    def start(self) -> "MilvusServer":
        """Waits until it answers; what was stored before is there."""
        self._process = self._host.start(self._folder, self.port)
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.is_running(), "milvus-lite has ended"
            assert time.monotonic() < deadline, "milvus-lite does not answer"
            time.sleep(0.02)
        return self

    def forget(self) -> None:
        """Killed, and started again with an empty folder."""
        self.kill()
        shutil.rmtree(self._folder)
        self.start()

    def freeze(self) -> None:
        """It keeps its connections, and takes new ones, but answers nobody."""
        assert self._process is not None
        self._process.suspend()

    def thaw(self) -> None:
        assert self._process is not None
        self._process.resume()

    def kill(self) -> None:
        """Without warning. Killed already is killed."""
        if self._process is not None:
            with suppress(psutil.NoSuchProcess):
                self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            try:
                milvus_pb2_grpc.MilvusServiceStub(channel).ListDatabases(
                    milvus_pb2.ListDatabasesRequest(), timeout=1
                )
            except grpc.RpcError:
                return False
        return True
