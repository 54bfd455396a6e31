"""Settings of the way in: TLS, names, foreign pages, and the patience with slow clients."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from datastorage.settings.authentication import AuthenticationSettings, Words
from datastorage.settings.choices import AuthMode

_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:]+")


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    lowered = tuple(value.lower().rstrip("/") for value in values)
    for value in lowered:
        if not _ORIGIN.fullmatch(value):
            raise ValueError(f"{value} is no origin; expected such as https://dashboards.example:8443")
    return lowered


def _hosts(values: tuple[str, ...]) -> tuple[str, ...]:
    lowered = tuple(value.lower().strip("[]") for value in values)
    for value in lowered:
        if not _HOST.fullmatch(value):
            raise ValueError(f"{value} is no name; expected such as api.example or *.example, without a port")
    return lowered


class HttpSettings(AuthenticationSettings):
    """The part of the settings that is about connections; immutable like the whole."""

    tls_cert_file: Path | None = Field(
        None,
        description="Certificate of the API with its chain, PEM: it is served over TLS then. "
        "A renewed file is used from the next connection on.",
    )
    tls_key_file: Path | None = Field(
        None, description="The certificate's key; unset: in the certificate's file."
    )
    tls_key_password: SecretStr | None = Field(None, description="Password of that key, if it has one.")
    tls_client_ca_file: Path | None = Field(
        None,
        description="Authorities that sign client certificates, PEM: clients may show one, and `mtls` knows them by it.",
    )
    http_hosts: Annotated[Words, AfterValidator(_hosts)] = Field(
        (),
        description="Names by which the API may be called, comma-separated, such as `api.example,*.svc`; others get 421. "
        "Unset: all, but while nobody need be authenticated no name of the Internet: a foreign page could let its own "
        "name lead here.",
    )
    cors_origins: Annotated[Words, AfterValidator(_origins)] = Field(
        (),
        description="Origins whose pages may ask and read answers in browsers, comma-separated: `https://dashboards.example`; "
        "unset: none but its own.",
    )
    client_timeout_s: float = Field(
        30.0,
        gt=0,
        le=3_600,
        description="Seconds a client has to send the head of a request, then its body, and to take in the answer; "
        "slower ones are cut off.",
    )

    @field_validator("tls_key_file", "tls_key_password", "tls_client_ca_file")
    @classmethod
    def _part_of_tls(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("tls_cert_file", value) is None:
            raise ValueError("needs DATASTORAGE_TLS_CERT_FILE")
        return value

    @field_validator("tls_client_ca_file")
    @classmethod
    def _needed_by_mtls(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None and AuthMode.MTLS in info.data.get("auth_modes", ()):
            raise ValueError("is needed by DATASTORAGE_AUTH_MODES=mtls")
        return value
