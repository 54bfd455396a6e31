"""A real Milvus server of a test's own (Milvus Lite behind gRPC), to be killed, frozen and started again."""

import shutil
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

from support.process_host import Forked, ProcessHost

PATIENCE_S = 120  # two busy cores take long to import what it needs; nothing is measured


def milvus_host() -> ProcessHost:
    """Starts servers."""
    return ProcessHost("milvus_lite.cmdline:main")


class MilvusServer:
    """One server on one port and one folder, through all its restarts."""

    def __init__(self, host: ProcessHost, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._host, self._folder = host, folder
        self._process: Forked | None = None

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
        place = ("--data-dir", str(self._folder), "--host", "127.0.0.1", "--port", str(self.port))
        self._process = self._host.start(["milvus-lite", "server", *place])
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, "milvus-lite has ended"
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
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Without warning. Killed already is killed."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def vectors(self) -> dict[bytes, Sequence[float]]:
        """All that is stored, by hash; asked for in parts that it can answer."""
        client = MilvusClient(self.address, dedicated=True)
        try:
            return {
                bytes.fromhex(row["hash"]): row["vector"]
                for name in client.list_collections()
                for part in range(16)
                for row in client.query(
                    name, f'hash like "{part:x}%"', ["hash", "vector"], consistency_level="Strong"
                )
            }
        finally:
            client.close()

    def _answers(self) -> bool:
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            try:
                milvus_pb2_grpc.MilvusServiceStub(channel).ListDatabases(
                    milvus_pb2.ListDatabasesRequest(), timeout=1
                )
            except grpc.RpcError:
                return False
        return True
