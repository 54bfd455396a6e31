"""A real Milvus server of a test's own (Milvus Lite behind gRPC), to be killed, frozen and started again."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import grpc
from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

PATIENCE_S = 60


class MilvusServer:
    """One server on one port and one folder, through all its restarts."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As the settings want it."""
        return f"milvus://127.0.0.1:{self.port}"

    def start(self) -> "MilvusServer":
        """Waits until it answers; what was stored before is there."""
        self._process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("milvus-lite")), "server", "--data-dir", str(self._folder),
                "--host", "127.0.0.1", "--port", str(self.port),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, "milvus-lite has ended"
            assert time.monotonic() < deadline, "milvus-lite does not answer"
            time.sleep(0.05)
        return self

    def restart(self) -> None:
        """Killed, and started again on the same port and folder."""
        self.kill()
        self.start()

    def ensure_running(self) -> None:
        """Started again, where a test has killed it."""
        if self._process is None or self._process.poll() is not None:
            self.start()

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
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            try:
                milvus_pb2_grpc.MilvusServiceStub(channel).ListDatabases(
                    milvus_pb2.ListDatabasesRequest(), timeout=1
                )
            except grpc.RpcError:
                return False
        return True
