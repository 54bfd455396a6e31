"""Settings of how much one may ask, how often, and what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from datastorage.limits import (
    BATCH_ROWS_MAX,
    QUERY_ALIASES_MAX,
    QUERY_COST_MAX,
    QUERY_DEPTH_MAX,
    QUERY_FIELDS_MAX,
    QUERY_TOKENS_MAX,
    RATE_PER_ADDRESS_BURST,
    RATE_PER_ADDRESS_S,
    RATE_PER_PRINCIPAL_BURST,
    RATE_PER_PRINCIPAL_S,
    REQUEST_BODY_BYTES_MAX,
    REQUESTS_IN_FLIGHT_MAX,
)
from datastorage.settings.authentication import AuthenticationSettings
from datastorage.settings.choices import RateLimitBackend
from datastorage.settings.values import Networks, lowered


class LimitSettings(AuthenticationSettings):
    """The part of the settings that bounds requests; immutable like the whole."""

    rate_limit_principal_per_s: float = Field(
        RATE_PER_PRINCIPAL_S,
        ge=0,
        le=1_000_000,
        description="Requests that one principal may make a second, in the long run; 0: without limit. "
        "`anonymous` has no limit but its address's.",
    )
    rate_limit_principal_burst: int = Field(
        RATE_PER_PRINCIPAL_BURST, ge=1, le=1_000_000, description="Requests that it may make at once."
    )
    rate_limit_address_per_s: float = Field(
        RATE_PER_ADDRESS_S,
        ge=0,
        le=1_000_000,
        description="The same for one address, or one /64 of IPv6, charged before it is known who asks; "
        "loopback has no limit.",
    )
    rate_limit_address_burst: int = Field(
        RATE_PER_ADDRESS_BURST, ge=1, le=1_000_000, description="Requests that one address may make at once."
    )
    rate_limit_backend: Annotated[RateLimitBackend, BeforeValidator(lowered)] = Field(
        RateLimitBackend.MEMORY,
        description="Where it is kept who has asked how often: `memory` of each worker, which then has its "
        "share of the limits, or `redis` for all workers and replicas.",
    )
    trusted_proxies: Networks = Field(
        (),
        description="Networks of proxies whose `X-Forwarded-For` is believed, comma-separated: `10.1.2.0/28`.",
    )
    requests_in_flight_max: int = Field(
        REQUESTS_IN_FLIGHT_MAX, ge=1, description="Requests that one worker works on at a time."
    )
    request_body_bytes_max: int = Field(
        REQUEST_BODY_BYTES_MAX,
        ge=1_024,
        le=8 * REQUEST_BODY_BYTES_MAX,
        description="Bytes of one request's body.",
    )
    batch_rows_max: int = Field(
        BATCH_ROWS_MAX, ge=1, le=BATCH_ROWS_MAX, description="Records that one mutation may write."
    )

    query_tokens_max: int = Field(
        QUERY_TOKENS_MAX, ge=1_000, description="Tokens of one GraphQL document; variables do not count."
    )
    query_depth_max: int = Field(
        QUERY_DEPTH_MAX, ge=3, description="Fields within fields of one operation, introspection aside."
    )
    query_fields_max: int = Field(
        QUERY_FIELDS_MAX,
        ge=100,
        description="Fields of one operation, fragments counted wherever they are spread.",
    )
    query_aliases_max: int = Field(QUERY_ALIASES_MAX, ge=0, description="Aliases of one operation.")
    query_cost_max: int = Field(
        QUERY_COST_MAX,
        ge=100,
        description="Records and lists that one answer may hold: page sizes multiplied along the path.",
    )

    introspection: bool = Field(
        default=True,
        description="Answer what the schema is, and say in errors what of it a document does not fit.",
    )
    persisted_queries: bool = Field(
        default=True, description="Remember documents, so that clients may send their hash alone."
    )
    trusted_documents: Path | None = Field(
        None, description='A JSON file of documents that clients may name: `{"id or SHA-256": "query …"}`.'
    )
    trusted_documents_only: bool = Field(default=False, description="Execute no other documents than these.")

    @field_validator("trusted_documents_only")
    @classmethod
    def _there_are_some(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("trusted_documents", True) is None:
            raise ValueError("would refuse everything: set DATASTORAGE_TRUSTED_DOCUMENTS")
        return value
