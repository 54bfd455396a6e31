"""Settings of who may do what: how requests are authenticated, and what a principal is granted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode

from datastorage.settings.choices import AccessAudit, AuthMode
from datastorage.settings.values import Networks, listed, lowered

# Signatures that need no shared secret: a public key must never do as one.
JWT_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
MODES_THAT_NEED_GRANTS: Final = (AuthMode.KUBERNETES, AuthMode.PROXY, AuthMode.MTLS)


class Grant(BaseModel):
    """What one principal may do, and where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["reader", "writer", "admin"] | None = None
    rights: frozenset[Literal["read", "write", "admin"]] | None = None
    namespaces: frozenset[str] | None = None
    clusters: frozenset[str] | None = None

    @model_validator(mode="after")
    def _either_role_or_rights(self) -> Self:
        if (self.role is None) == (self.rights is None):
            raise ValueError("names either a role or rights")
        return self


def _lowered_list(value: object) -> object:
    words = listed(value)
    return [lowered(word) for word in words] if isinstance(words, Iterable) else words


def _json_object(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError('is no JSON; expected such as {"principal": {"role": "reader"}}') from None


def _json_list(value: object) -> object:
    """JSON, since subjects hold commas."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError('is no JSON; expected such as ["CN=gateway,O=example"]') from None


def _trustworthy_url(value: str) -> str:
    """A URL that nobody in between can answer for. Errors: ValueError."""
    parts = urlsplit(value)
    if parts.scheme == "https" and parts.hostname:
        return value.rstrip("/")
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return value.rstrip("/")
    raise ValueError("must be an https:// URL; http:// is for loopback only")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


TrustworthyUrl = Annotated[str, AfterValidator(_trustworthy_url)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)]


class AuthenticationSettings(BaseSettings):
    """The part of the settings that is about identity; immutable like the whole."""

    auth_modes: Annotated[tuple[AuthMode, ...], NoDecode, BeforeValidator(_lowered_list)] = Field(
        (AuthMode.NONE,),
        min_length=1,
        description="How requests are authenticated, comma-separated, tried in this order: `api_key`, `jwt`, "
        "`kubernetes`, `proxy`, `mtls`; `none`: whoever shows no credential may do everything, on loopback only.",
    )
    auth_grants: Annotated[dict[str, Grant], NoDecode, BeforeValidator(_json_object)] = Field(
        default_factory=dict,
        description="What principals may do, as JSON: "
        '`{"kubernetes:system:serviceaccount:ops:agent": {"role": "writer", "namespaces": ["shop"]}, '
        '"proxy:*": {"role": "reader"}}`; `rights` instead of `role` for another set of `read`, `write`, `admin`; '
        "a name that ends in `*` is a prefix; without namespaces or clusters: all of them.",
    )
    auth_jwt_issuer: TrustworthyUrl | None = Field(
        None, description="For `jwt`: the issuer (`iss`) whose tokens are taken."
    )
    auth_jwt_audience: Words = Field(
        (),
        description="For `jwt`: the audiences (`aud`) that mean this service, comma-separated; one must match.",
    )
    auth_jwt_jwks_url: TrustworthyUrl | None = Field(
        None, description="For `jwt`: where the issuer's keys are; unset: as its OpenID configuration says."
    )
    auth_jwt_algorithms: Words = Field(
        ("RS256", "ES256", "EdDSA"),
        min_length=1,
        description="For `jwt`: signature algorithms that are taken, comma-separated; public keys only.",
    )
    auth_jwt_leeway_s: float = Field(
        30.0, ge=0, le=300, description="For `jwt`: seconds by which the issuer's clock may differ."
    )
    auth_jwt_principal_claim: str = Field(
        "sub", min_length=1, description="For `jwt`: the claim that names the principal, as `jwt:…`."
    )
    auth_jwt_roles_claim: str | None = Field(
        None,
        description="For `jwt`: a claim with roles, dots lead into objects (`realm_access.roles`); "
        "unset: `auth_grants` of `jwt:…` decide.",
    )
    auth_jwt_roles: Annotated[
        dict[str, Literal["reader", "writer", "admin"]], NoDecode, BeforeValidator(_json_object)
    ] = Field(
        {"reader": "reader", "writer": "writer", "admin": "admin"},
        description='For `jwt`: what values of that claim mean, as JSON: `{"sre": "writer"}`; '
        "others mean nothing.",
    )
    auth_jwt_namespaces_claim: str | None = Field(
        None,
        description="For `jwt`: a claim with the namespaces of the scope, `*` for all; a token without it sees "
        "nothing. Unset: all namespaces.",
    )
    auth_jwt_clusters_claim: str | None = Field(None, description="For `jwt`: the same for clusters.")
    auth_kubernetes_url: TrustworthyUrl = Field(
        "https://kubernetes.default.svc", description="For `kubernetes`: the API server that reviews tokens."
    )
    auth_kubernetes_audience: Words = Field(
        (),
        description="For `kubernetes`: audiences that tokens must be made for, comma-separated; "
        "unset: the API server's own.",
    )
    auth_kubernetes_token_file: Path = Field(
        Path("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        description="For `kubernetes`: this service's own token, which may create TokenReviews.",
    )
    auth_kubernetes_ca_file: Path = Field(
        Path("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"),
        description="For `kubernetes`: who the API server's certificate is signed by.",
    )
    auth_proxy_header: str = Field(
        "x-forwarded-user",
        pattern=r"(?i)^[a-z0-9-]+$",
        description="For `proxy`: the header in which a gateway names the principal, as `proxy:…`.",
    )
    auth_proxy_networks: Networks = Field(
        (),
        description="For `proxy`: networks of the gateways that are believed, comma-separated: `10.1.2.0/28`.",
    )
    auth_proxy_subjects: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_json_list)] = Field(
        (),
        description="For `proxy`: subjects of gateways' client certificates that are believed, as JSON: "
        '`["CN=gateway,O=example"]`.',
    )
    access_audit: Annotated[AccessAudit, BeforeValidator(lowered)] = Field(
        AccessAudit.DENIALS,
        description="What the access audit records: `denials`; `mutations`: these too; `all`: queries as well.",
    )

    @field_validator("auth_jwt_algorithms")
    @classmethod
    def _asymmetric_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        refused = [name for name in value if name not in JWT_ALGORITHMS]
        if refused:
            raise ValueError(f"may hold {', '.join(JWT_ALGORITHMS)}; not {', '.join(refused)}")
        return value

    @field_validator("auth_jwt_issuer", "auth_jwt_audience")
    @classmethod
    def _needed_by_jwt(cls, value: object, info: ValidationInfo) -> object:
        if not value and AuthMode.JWT in info.data.get("auth_modes", ()):
            raise ValueError("is needed by DATASTORAGE_AUTH_MODES=jwt")
        return value

    @field_validator("auth_proxy_subjects")
    @classmethod
    def _somebody_is_believed(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        believed = value or info.data.get("auth_proxy_networks", True)
        if AuthMode.PROXY in info.data.get("auth_modes", ()) and not believed:
            raise ValueError(
                "is needed by DATASTORAGE_AUTH_MODES=proxy, or DATASTORAGE_AUTH_PROXY_NETWORKS: "
                "else anybody could name anybody"
            )
        return value

    @field_validator("auth_grants")
    @classmethod
    def _grants_somebody_something(cls, value: dict[str, Grant], info: ValidationInfo) -> dict[str, Grant]:
        needing = [mode for mode in info.data.get("auth_modes", ()) if mode in MODES_THAT_NEED_GRANTS]
        if needing and not value:
            raise ValueError(
                f"is needed by DATASTORAGE_AUTH_MODES={needing[0]}: without, nobody may do anything"
            )
        return value

    @property
    def anybody_may(self) -> bool:
        """Whether whoever reaches the service may do everything."""
        return AuthMode.NONE in self.auth_modes
