"""Who says who somebody is: an issuer of tokens, and the API server of a cluster, both as `support.access` serves them."""

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from support.access import IdentityServer

AUDIENCE = "datastorage"
OWN_TOKEN = "our-own-token"


class Issuer:
    """Signs tokens, and publishes the keys that are asked for."""

    def __init__(self, server: IdentityServer) -> None:
        self.server = server
        self.private: dict[str, Any] = {}
        self.published: list[dict[str, Any]] = []
        self.down = False
        server.answer = self._answer

    def with_key(self, name: str) -> "Issuer":
        """The same, with a key."""
        self.make_key(name)
        return self

    def make_key(
        self, name: str, algorithm: str = "RS256", *, published: bool = True, bits: int = 2048
    ) -> None:
        if algorithm == "ES256":
            key: Any = ec.generate_private_key(ec.SECP256R1())
            public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        elif algorithm == "EdDSA":
            key = ed25519.Ed25519PrivateKey.generate()
            public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        else:
            key = rsa.generate_private_key(65537, bits)
            public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        self.private[name] = key
        if published:
            self.published.append(public | {"kid": name, "alg": algorithm, "use": "sig"})

    def token(self, key: str = "k1", algorithm: str = "RS256", **claims: Any) -> str:
        whole = {"iss": self.server.url, "aud": AUDIENCE, "sub": "alice", "exp": time.time() + 300} | claims
        return jwt.encode(
            {name: value for name, value in whole.items() if value is not None},
            self.private[key],
            algorithm,
            headers={"kid": key},
        )

    def _answer(self, path: str, _headers: dict[str, str], _body: bytes) -> tuple[int, Any]:
        if self.down:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            return 200, {"issuer": self.server.url, "jwks_uri": f"{self.server.url}/keys"}
        return 200, {"keys": self.published}


class Cluster:
    """An API server that knows some tokens."""

    def __init__(self, server: IdentityServer, settings: dict[str, Any]) -> None:
        self.server, self.settings = server, settings
        self.accounts: dict[str, str] = {}
        self.audiences = ["https://kubernetes.default.svc"]
        self.reviews: list[dict[str, Any]] = []
        self.down = False
        server.answer = self._answer

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if self.down:
            return 500, {}
        if path != "/apis/authentication.k8s.io/v1/tokenreviews":
            return 404, {}
        if headers.get("authorization") != f"Bearer {OWN_TOKEN}":
            return 401, {"kind": "Status"}
        review = json.loads(body)
        self.reviews.append(review)
        name = self.accounts.get(review["spec"]["token"])
        if name is None:
            return 201, review | {"status": {"authenticated": False, "error": "invalid bearer token"}}
        known = {"authenticated": True, "user": {"username": name}, "audiences": self.audiences}
        return 201, review | {"status": known}
