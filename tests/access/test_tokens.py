"""JWTs: only what the issuer signed with a key and an algorithm that we take, for us, and now."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from jwt.algorithms import RSAAlgorithm

from datastorage.domain.caller import Right, Scope
from datastorage.errors import Unauthenticated, Unavailable
from datastorage.services.access.signing_keys import SigningKeys
from datastorage.services.dependencies import Dependencies
from support.access import LIST, Service, identity_server, served
from support.identities import AUDIENCE, Issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with identity_server() as server:
        yield Issuer(server).with_key("k1")


def jwt_settings(issuer: Issuer, **values: Any) -> dict[str, Any]:
    return {
        "auth_modes": "jwt",
        "auth_jwt_issuer": issuer.server.url,
        "auth_jwt_audience": AUDIENCE,
        "auth_grants": '{"jwt:alice": {"role": "reader"}}',
        **values,
    }


@pytest.fixture
async def service(deps: Dependencies, issuer: Issuer) -> AsyncIterator[Service]:
    async with served(deps, **jwt_settings(issuer)) as opened:
        yield opened


async def status(service: Service, token: str) -> int:
    return (await service.ask(LIST, {"authorization": f"Bearer {token}"})).status


async def caller_of(deps: Dependencies, issuer: Issuer, token: str, **values: Any) -> Any:
    """Who the API takes the token for."""
    async with served(deps, **jwt_settings(issuer, **values)) as opened:
        (way,) = opened.app.state.authentication._ways
        return await way._known.caller(token)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    return ".".join((part(json.dumps(header).encode()), part(json.dumps(claims).encode()), part(signature)))


async def test_a_good_token_opens(service: Service, issuer: Issuer) -> None:
    assert await status(service, issuer.token()) == 200


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
async def test_other_public_key_algorithms_open_too(service: Service, issuer: Issuer, algorithm: str) -> None:
    issuer.make_key("other", algorithm)

    assert await status(service, issuer.token("other", algorithm)) == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "never"},
        {"nbf": time.time() + 600},
        {"iat": time.time() + 600},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": "mallory"},
        {"sub": None},
        {"sub": "x" * 300},
        {"sub": "alice\n"},
    ],
)
async def test_claims_that_do_not_fit_are_refused(
    service: Service, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert await status(service, issuer.token(**claims)) == 401


@pytest.mark.parametrize(("seconds", "expected"), [(-20, 200), (-40, 401)])
async def test_clocks_may_differ_a_little(
    service: Service, issuer: Issuer, seconds: int, expected: int
) -> None:
    assert await status(service, issuer.token(exp=time.time() + seconds)) == expected


async def test_a_token_for_us_and_others_opens(service: Service, issuer: Issuer) -> None:
    assert await status(service, issuer.token(aud=["another", AUDIENCE])) == 200


async def test_no_signature_is_no_signature(service: Service, issuer: Issuer) -> None:
    claims = {"iss": issuer.server.url, "aud": AUDIENCE, "sub": "alice", "exp": time.time() + 300}
    for algorithm in ("none", "None", "NONE", ""):
        assert await status(service, unsigned({"alg": algorithm, "kid": "k1"}, claims)) == 401


async def test_a_public_key_is_no_shared_secret(service: Service, issuer: Issuer) -> None:
    public = (
        issuer.private["k1"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    claims = {"iss": issuer.server.url, "aud": AUDIENCE, "sub": "alice", "exp": time.time() + 300}
    bare = unsigned({"alg": "HS256", "kid": "k1"}, claims).rpartition(".")[0]
    signed = unsigned(
        {"alg": "HS256", "kid": "k1"}, claims, hmac.new(public, bare.encode(), hashlib.sha256).digest()
    )

    assert await status(service, signed) == 401


async def test_a_key_in_the_token_is_not_believed(service: Service, issuer: Issuer) -> None:
    issuer.make_key("mine", published=False)
    mine = RSAAlgorithm.to_jwk(issuer.private["mine"].public_key(), as_dict=True)
    token = jwt.encode(
        {"iss": issuer.server.url, "aud": AUDIENCE, "sub": "alice", "exp": time.time() + 300},
        issuer.private["mine"],
        "RS256",
        headers={"kid": "k1", "jwk": mine, "jku": "https://evil.example/keys"},
    )

    assert await status(service, token) == 401


async def test_a_signature_that_was_changed_is_refused(service: Service, issuer: Issuer) -> None:
    head, claims, signature = issuer.token().split(".")
    other = issuer.token(sub="mallory").split(".")[1]

    assert await status(service, f"{head}.{other}.{signature}") == 401
    assert await status(service, f"{head}.{claims}.{signature[:-8]}AAAAAAAA") == 401
    assert await status(service, f"{head}.{claims}.") == 401


async def test_an_algorithm_that_is_not_taken_is_refused(service: Service, issuer: Issuer) -> None:
    issuer.make_key("strong", "RS512")

    assert await status(service, issuer.token("strong", "RS512")) == 401


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")
async def test_published_secrets_and_short_keys_are_left_out(service: Service, issuer: Issuer) -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).rstrip(b"=").decode()
    issuer.published.append({"kty": "oct", "k": secret, "kid": "secret", "alg": "HS256"})
    issuer.published.append({"kty": "what", "kid": "unknown"})
    issuer.make_key("short", bits=1024)

    assert await status(service, issuer.token("short")) == 401
    assert await status(service, issuer.token()) == 200


async def test_a_new_key_of_the_issuer_is_found(issuer: Issuer) -> None:
    now = 1_000.0
    async with httpx.AsyncClient() as http:
        keys = SigningKeys(http, issuer.server.url, None, ["RS256"], lambda: now)
        assert (await keys.key("k1", "RS256")).key_id == "k1"
        issuer.published.clear()
        issuer.make_key("k2")
        with pytest.raises(Unauthenticated):  # asked a moment ago
            await keys.key("k2", "RS256")
        now += 10
        assert (await keys.key("k2", "RS256")).key_id == "k2"
        with pytest.raises(Unauthenticated):
            await keys.key("k1", "RS256")
        asked = len(issuer.server.asked)
        for _ in range(20):
            with pytest.raises(Unauthenticated):
                await keys.key("made up", "RS256")

    assert len(issuer.server.asked) == asked


async def test_while_the_issuer_is_away_its_keys_count_on_for_a_while(issuer: Issuer) -> None:
    now = 1_000.0
    async with httpx.AsyncClient() as http:
        keys = SigningKeys(http, issuer.server.url, None, ["RS256"], lambda: now)
        await keys.key("k1", "RS256")
        issuer.down = True
        now += 3_599
        assert (await keys.key("k1", "RS256")).key_id == "k1"
        now += 1
        with pytest.raises(Unavailable):
            await keys.key("k1", "RS256")


async def test_an_issuer_that_never_answered_makes_requests_come_again(
    service: Service, issuer: Issuer
) -> None:
    issuer.down = True

    answer = await service.ask(LIST, {"authorization": f"Bearer {issuer.token()}"})

    assert answer.status == 503
    assert answer.error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}


async def test_roles_and_scope_come_from_claims_where_they_are_named(
    deps: Dependencies, issuer: Issuer
) -> None:
    claims = {
        "auth_jwt_roles_claim": "realm_access.roles",
        "auth_jwt_roles": '{"sre": "writer"}',
        "auth_jwt_namespaces_claim": "namespaces",
    }
    token = issuer.token(sub="bob", realm_access={"roles": ["sre", "cook"]}, namespaces=["shop", "pay"])

    caller = await caller_of(deps, issuer, token, **claims)

    assert (caller.principal, caller.rights) == ("jwt:bob", {Right.READ, Right.WRITE})
    assert caller.scope == Scope(namespaces=frozenset({"shop", "pay"}))


@pytest.mark.parametrize(
    ("claim", "seen"), [(None, frozenset()), (["*"], None), ("shop pay", {"shop", "pay"}), ([], frozenset())]
)
async def test_a_token_without_its_namespaces_sees_nothing(
    deps: Dependencies, issuer: Issuer, claim: Any, seen: Any
) -> None:
    caller = await caller_of(
        deps, issuer, issuer.token(namespaces=claim), auth_jwt_namespaces_claim="namespaces"
    )

    assert caller.scope.namespaces == seen


async def test_claims_never_widen_what_the_settings_grant(deps: Dependencies, issuer: Issuer) -> None:
    grants = '{"jwt:alice": {"role": "reader", "namespaces": ["shop"]}}'
    values = {"auth_grants": grants, "auth_jwt_namespaces_claim": "namespaces"}

    everywhere = await caller_of(deps, issuer, issuer.token(namespaces=["*"]), **values)
    elsewhere = await caller_of(deps, issuer, issuer.token(namespaces=["shop", "pay"]), **values)

    assert everywhere.scope == elsewhere.scope == Scope(namespaces=frozenset({"shop"}))


async def test_a_token_without_a_role_that_means_anything_is_refused(
    deps: Dependencies, issuer: Issuer
) -> None:
    with pytest.raises(Unauthenticated):
        await caller_of(deps, issuer, issuer.token(roles=["cook"]), auth_jwt_roles_claim="roles")
