"""TLS and a token in front of a Milvus server that knows neither, as a cluster has them."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc


class Gate(grpc.GenericRpcHandler):
    """Hands on every call, as it is, that carries the token."""

    def __init__(self, backend: grpc.Channel, token: str) -> None:
        self._backend = backend
        self._expected = base64.b64encode(token.encode()).decode()

    def service(self, call: Any) -> Any:
        def answer(request: bytes, context: Any) -> bytes:
            if dict(call.invocation_metadata).get("authorization") != self._expected:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")
            try:
                return self._backend.unary_unary(call.method)(request)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
                raise

        return grpc.unary_unary_rpc_method_handler(answer)


@contextmanager
def gate(port: int, token: str, key: bytes, certificate: bytes) -> Iterator[int]:
    """In front of the server on this port; gives its own."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as backend, ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads, handlers=[Gate(backend, token)])
        own_port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
        server.start()
        try:
            yield own_port
        finally:
            server.stop(grace=0).wait()
