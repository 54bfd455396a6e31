"""TLS served by the process itself: who asks by client certificate, renewed files, and what stops the start."""

import json
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from sqlalchemy.engine import URL

from datastorage.web.tls import TlsFiles
from support.certificates import Authority
from support.client import CREATE
from support.command_line import CommandLine
from support.listening import listening
from support.postgres import cloned_for_processes
from support.records import remediation_input
from support.service import PATIENCE_S, Service, environment, started

EVENTS = '{ remediation(requestId: "rr-1") { events { nodes { actor } } } }'
GRANTS = {"mtls:CN=agent,O=example": {"role": "writer"}}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def service(server_url: URL, template: str, authority: Authority) -> Iterator[Service]:
    """Over TLS, by two processes, for one client certificate."""
    with cloned_for_processes(server_url, template) as url:
        variables = environment(
            url,
            TLS_CERT_FILE=authority.signed("localhost"),
            TLS_CLIENT_CA_FILE=authority.file,
            AUTH_MODES="mtls",
            AUTH_GRANTS=json.dumps(GRANTS),
        )
        with started(variables, "--workers", "2", "--port", "0", "--metrics-port", "0") as service:
            service.trusting = trusting(authority)
            yield service.await_start()


def trusting(authority: Authority, certificate: Path | None = None) -> ssl.SSLContext:
    """What a client needs to ask, with a certificate of its own or without."""
    context = ssl.create_default_context(cafile=str(authority.file))
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def asked(service: Service, context: ssl.SSLContext, query: str, **variables: Any) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return httpx.post(f"{service.url}/graphql", json=body, verify=context, timeout=PATIENCE_S)


def test_the_subject_of_a_client_certificate_is_who_asks(service: Service, authority: Authority) -> None:
    agent = trusting(authority, authority.signed("agent", "example"))

    stored = asked(service, agent, CREATE, input=remediation_input(remediationRequestId="rr-1"))
    events = asked(service, agent, EVENTS)

    assert service.url.startswith("https://")
    assert stored.json()["data"]["createRemediationAudit"]["__typename"] == "CreateRemediationAuditPayload"
    assert events.json()["data"]["remediation"]["events"]["nodes"] == [{"actor": "mtls:CN=agent,O=example"}]
    assert events.headers["strict-transport-security"] == "max-age=63072000"


def test_others_are_not_let_in(service: Service, authority: Authority, tmp_path: Path) -> None:
    unknown = asked(service, trusting(authority, authority.signed("stranger", "example")), EVENTS)
    bare = asked(service, trusting(authority), EVENTS)

    assert (unknown.status_code, bare.status_code) == (401, 401)
    assert unknown.json() == bare.json()
    forged = trusting(authority, Authority(tmp_path).signed("agent", "example"))
    with pytest.raises(httpx.TransportError):
        asked(service, forged, EVENTS)


def test_probes_need_no_certificate(service: Service) -> None:
    assert service.probe("/health")[0] == 200
    assert service.probe("/ready")[0] == 200


def test_without_tls_nothing_is_answered(service: Service) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(service.url.replace("https", "http") + "/health", timeout=PATIENCE_S)


# --- renewed files


async def empty(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def renewable(authority: Authority, tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """A port, and the file with the certificate that is shown there."""
    file = tmp_path / "tls.pem"
    renew(file, authority.signed("first").read_bytes())
    async with listening(empty, TlsFiles(file)) as port:
        yield port, file


def renew(file: Path, content: bytes) -> None:
    """Another file in its place, as a renewer does it."""
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)


async def shown(port: int, authority: Authority) -> str:
    """The name in the certificate that a new connection is shown."""
    async with httpx.AsyncClient(verify=trusting(authority)) as http:
        answer = await http.get(f"https://127.0.0.1:{port}/")
        connection = answer.extensions["network_stream"].get_extra_info("ssl_object")
        return x509.load_der_x509_certificate(
            connection.getpeercert(binary_form=True)
        ).subject.rfc4514_string()


async def test_a_renewed_certificate_is_shown_on_the_next_connection(
    renewable: tuple[int, Path], authority: Authority
) -> None:
    port, file = renewable
    before = await shown(port, authority)

    renew(file, authority.signed("second").read_bytes())

    assert (before, await shown(port, authority)) == ("CN=first", "CN=second")


async def test_what_cannot_be_used_is_not_renewed(renewable: tuple[int, Path], authority: Authority) -> None:
    port, file = renewable

    renew(file, b"half of")
    broken = await shown(port, authority)
    file.unlink()
    gone = await shown(port, authority)
    renew(file, authority.signed("third").read_bytes())

    assert (broken, gone, await shown(port, authority)) == ("CN=first", "CN=first", "CN=third")


def test_old_versions_of_tls_are_not_spoken(authority: Authority) -> None:
    assert TlsFiles(authority.signed("any")).loaded().minimum_version >= ssl.TLSVersion.TLSv1_2


# --- what stops the start


def test_files_that_cannot_be_used_stop_the_start(
    commands: CommandLine, authority: Authority, tmp_path: Path
) -> None:
    certificate, other = authority.signed("one"), authority.signed("two")
    nonsense, missing = tmp_path / "nonsense.pem", tmp_path / "missing.pem"
    nonsense.write_text("no certificate")

    def told(**files: Path) -> str:
        variables = {f"DATASTORAGE_TLS_{name}": str(file) for name, file in files.items()}
        ended = commands.run("serve", variables=variables)
        assert ended.code == 1
        return ended.said

    assert f"TLS cannot use {missing}: No such file or directory" in told(CERT_FILE=missing)
    assert f"TLS cannot use {nonsense}: " in told(CERT_FILE=nonsense)
    assert f"TLS cannot use {certificate} and {other}: the key is not the certificate's" in told(
        CERT_FILE=certificate, KEY_FILE=other
    )
    assert f"TLS cannot use {nonsense}: " in told(CERT_FILE=certificate, CLIENT_CA_FILE=nonsense)
    assert "DATASTORAGE_TLS_KEY_FILE: needs DATASTORAGE_TLS_CERT_FILE" in told(KEY_FILE=other)
