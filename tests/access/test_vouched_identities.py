"""Gateways and client certificates; several ways at once; and the way without any."""

import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from datastorage.domain.caller import EVERYWHERE, OPERATOR, Role
from datastorage.services.access.api_keys import create_key
from datastorage.services.dependencies import Dependencies
from datastorage.web.tls import TlsFiles
from support.access import LIST, served
from support.certificates import Authority
from support.listening import listening

GRANTS = json.dumps(
    {
        "proxy:alice": {"role": "reader"},
        "mtls:CN=agent,O=example": {"role": "reader"},
    }
)
GATEWAY = {"auth_modes": "proxy", "auth_proxy_networks": "10.1.2.0/28", "auth_grants": GRANTS}
MTLS = {"auth_modes": "mtls", "auth_grants": GRANTS, "tls_cert_file": "-", "tls_client_ca_file": "-"}
ALICE = {"x-forwarded-user": "alice"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", 200),
        ("::ffff:10.1.2.3", 200),
        ("10.1.2.16", 401),
        ("127.0.0.1", 401),
        ("::1", 401),
        ("not an address", 401),
    ],
)
async def test_a_gateways_header_counts_from_its_network_only(
    deps: Dependencies, address: str, expected: int
) -> None:
    async with served(deps, address=address, **GATEWAY) as service:
        answer = await service.ask(LIST, ALICE | {"x-forwarded-for": "10.1.2.3"})

    assert answer.status == expected


@pytest.mark.parametrize("name", ["", "bob", "alice\t", "x" * 300])
async def test_a_gateway_that_names_nobody_we_know_is_refused(deps: Dependencies, name: str) -> None:
    async with served(deps, address="10.1.2.3", **GATEWAY) as service:
        answer = await service.ask(LIST, {"x-forwarded-user": name})

    assert answer.status == 401


async def test_a_gateways_header_that_comes_twice_is_refused(deps: Dependencies) -> None:
    async with served(deps, address="10.1.2.3", **GATEWAY) as service:
        answer = await service.http.post(
            "/graphql",
            json={"query": LIST},
            headers=[("x-forwarded-user", "alice"), ("x-forwarded-user", "alice")],
        )

    assert answer.status_code == 401


async def test_a_gateway_may_show_a_certificate_instead(deps: Dependencies) -> None:
    settings = {"auth_modes": "proxy", "auth_proxy_subjects": '["CN=gateway"]', "auth_grants": GRANTS}

    async def status(tls: dict[str, Any]) -> int:
        async with served(deps, extensions={"tls": tls}, **settings) as service:
            return (await service.ask(LIST, ALICE)).status

    assert await status({"client_cert_name": "CN=gateway"}) == 200
    assert await status({"client_cert_name": "CN=another"}) == 401
    assert await status({"client_cert_name": None}) == 401
    assert await status({"client_cert_name": "CN=gateway", "client_cert_error": "expired"}) == 401


async def test_a_client_certificate_is_verified_and_its_subject_comes_in(
    deps: Dependencies, tmp_path: Path
) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    tls = TlsFiles(authority.signed("localhost"), client_authorities=authority.file)

    async def status(port: int, certificate: Path | None) -> int:
        trusting = ssl.create_default_context(cafile=str(authority.file))
        if certificate is not None:
            trusting.load_cert_chain(certificate)
        async with httpx.AsyncClient(verify=trusting, base_url=f"https://localhost:{port}") as http:
            return (await http.post("/graphql", json={"query": LIST})).status_code

    async with (
        served(deps, **MTLS) as service,
        listening(service.app, tls) as port,
    ):
        assert await status(port, authority.signed("agent", "example")) == 200
        assert await status(port, authority.signed("agent")) == 401
        assert await status(port, None) == 401
        with pytest.raises(httpx.TransportError):
            await status(port, stranger.signed("agent", "example"))


async def test_several_ways_are_tried_in_order(deps: Dependencies) -> None:
    key = await create_key(deps, OPERATOR, "agent", Role.WRITER, EVERYWHERE, None)
    writes = 'mutation { recordFeedback(requestId: "a", similarTo: "b", helpful: true) { __typename } }'

    async with served(
        deps, address="10.1.2.3", **MTLS | GATEWAY | {"auth_modes": "api_key,proxy,mtls"}
    ) as service:
        by_key = await service.ask(writes, ALICE | {"x-api-key": key.secret})
        by_gateway = await service.ask(writes, ALICE)
        bad_key = await service.ask(writes, ALICE | {"x-api-key": key.secret[:-1]})

    assert by_key.data == {"recordFeedback": {"__typename": "NotFoundError"}}
    assert by_gateway.data == {"recordFeedback": {"__typename": "ForbiddenError"}}
    assert bad_key.status == 401


async def test_a_bad_credential_never_counts_as_none(deps: Dependencies) -> None:
    async with served(deps, auth_modes="api_key,none") as service:
        bare = await service.ask(LIST)
        statuses = [
            (await service.ask(LIST, headers)).status
            for headers in (
                {"x-api-key": "x"},
                {"authorization": "Bearer x"},
                {"authorization": "Basic eDp4"},
            )
        ]

    assert bare.status == 200
    assert statuses == [401, 401, 401]
