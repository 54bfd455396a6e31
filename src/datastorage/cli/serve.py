"""`datastorage serve`: the API, its metrics and, without a database URL, the embedded PostgreSQL."""

from __future__ import annotations

import ipaddress
import math
import os
import resource
import signal
import socket
import sys
from functools import partial
from typing import Annotated

import structlog
import typer
import uvicorn
from rich.console import Console
from rich.markup import escape

from datastorage.app import prepare_database, start_logging
from datastorage.cli.parts import command, run
from datastorage.cli.supervisor import Supervisor
from datastorage.db.location import located
from datastorage.errors import StartupError
from datastorage.limits import CONNECTIONS_MAX, FILES_RESERVE
from datastorage.settings import PREFIX, Settings, load_settings, unknown_variables
from datastorage.web.connection import Connection
from datastorage.web.metrics_endpoint import serving_metrics, use_multiprocess_files
from datastorage.web.security_headers import UNDER_TLS
from datastorage.web.tls import TlsFiles

log = structlog.get_logger(__name__)

TRY_THIS = """
  [bold]GraphiQL[/]   {url}/graphql
  [bold]Metrics[/]    {metrics_url}/metrics

  New here? Load some made-up incidents in another terminal:  [cyan]{command} demo[/]
  Then ask:
    [cyan]curl {url}/graphql -H 'content-type: application/json' -d '{question}'[/]

  Stop with Ctrl-C.
"""

QUESTION = (
    '{"query": "{ similarIncidents(text: \\"pod killed, out of memory\\", first: 3) '
    '{ hits { similarity incident { name actionType status } } } }"}'
)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the API, 0 for a free one [default: 8080].")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Port of /metrics, 0 for a free one [default: 9090].")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve the API [default: 1].")] = None,
    insecure: Annotated[
        bool | None,
        typer.Option("--insecure", help="Listen beyond loopback although nobody need be authenticated."),
    ] = None,
) -> None:
    """Start the service. Options override the DATASTORAGE_* variables of the same name."""
    settings = load_settings(
        http_host=host, http_port=port, metrics_port=metrics_port, workers=workers, insecure=insecure
    )
    start_logging(settings)
    _refuse_exposure(settings)
    for fault in unknown_variables():
        log.warning("unknown_setting", fault=fault)
    # uvicorn raises a SIGTERM once more when it is done; it must unwind the stack, not kill the process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # a closed terminal, unless started with nohup
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    tls = TlsFiles.configured(settings)
    if tls is not None:
        tls.loaded()  # what is wrong with the files is told now, and not by each worker
    listener = _bound(settings.http_host, settings.http_port, "API")
    _allow_connections()
    _hand_down(settings)
    with located(settings) as url:
        run(prepare_database(url, settings))
        if settings.workers > 1:
            use_multiprocess_files()
        with serving_metrics(settings) as metrics_url:
            _announce(listener, metrics_url, "http" if tls is None else "https")
            _serve(settings, listener, tls)


def _serve(settings: Settings, listener: socket.socket, tls: TlsFiles | None) -> None:
    config = uvicorn.Config(
        "datastorage.app:create_app",
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http=partial(Connection, client_timeout_s=settings.client_timeout_s),  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # a header must not decide which address a request comes from
        timeout_graceful_shutdown=math.ceil(settings.shutdown_timeout_s),
        timeout_worker_healthcheck=60,
        ssl_context_factory=tls,
        headers=[] if tls is None else list(UNDER_TLS.items()),
    )
    if settings.workers > 1:
        Supervisor(config, sockets=[listener]).run()
    else:
        uvicorn.Server(config).run(sockets=[listener])


def _hand_down(settings: Settings) -> None:
    """The application reads its settings from the environment, in this process or in its workers."""
    for name in ("http_host", "http_port", "metrics_port", "workers", "insecure"):
        os.environ[f"{PREFIX}{name.upper()}"] = str(getattr(settings, name))


def _refuse_exposure(settings: Settings) -> None:
    if settings.insecure or not settings.anybody_may or _is_loopback(settings.http_host):
        return
    raise StartupError(
        f"refusing to listen on {settings.http_host} while nobody is authenticated: anyone who reaches it "
        "could read and write. Set DATASTORAGE_AUTH_MODES (api_key, jwt, kubernetes, proxy, mtls; without none), "
        "listen on 127.0.0.1, or pass --insecure"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(host: str, port: int, what: str) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = str(error.strerror or error).partition(" (while")[
            0
        ]  # socket.create_server says the place again
        raise StartupError(
            f"cannot listen on {host}:{port} for the {what} ({why}); "
            "is another service running there? Choose another port with --port or DATASTORAGE_HTTP_PORT"
        ) from None
    listener.set_inheritable(True)
    return listener


def _allow_connections() -> None:
    """Raises the number of files that this process and its workers may open, as far as the system lets them."""
    wanted = CONNECTIONS_MAX + FILES_RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        log.warning("few_open_files", allowed=allowed, wanted=wanted)


def _announce(listener: socket.socket, metrics_url: str, scheme: str) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    Console(soft_wrap=True, highlight=False).print(
        TRY_THIS.format(
            command=command(),
            question=escape(QUESTION),
            url=f"{scheme}://{shown}:{port}",
            metrics_url=metrics_url,
        )
    )
