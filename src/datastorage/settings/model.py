"""Every setting: its variable, unit, default and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from datastorage.limits import EMBEDDED_CHARS_MAX, EMBEDDING_DIMENSIONS_MAX
from datastorage.settings.choices import (
    CacheBackend,
    EmbeddedMode,
    LogFormat,
    LogLevel,
    Pooler,
    ProviderKind,
    RateLimitBackend,
    SslMode,
)
from datastorage.settings.config_file import read_config_file
from datastorage.settings.http import HttpSettings
from datastorage.settings.limiting import LimitSettings
from datastorage.settings.values import (
    DatabaseUrl,
    HttpUrl,
    Patterns,
    Port,
    RedisUrl,
    Seconds,
    VectorEngineUrl,
    lowered,
    nothing_if_none,
)

PREFIX: Final = "DATASTORAGE_"
ENV_FILE: Final = ".env"
NEEDED_BY_PROVIDER: Final[Mapping[ProviderKind | None, tuple[str, ...]]] = {
    ProviderKind.ONNX: ("embedding_model",),
    ProviderKind.OPENAI: ("embedding_model", "embedding_url", "embedding_dimensions"),
}


class Settings(LimitSettings, HttpSettings):
    """All settings of one process; immutable."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # a refused value may be a secret
        validate_default=True,
    )

    http_host: str = Field("127.0.0.1", description="Address the API listens on.")
    http_port: Port = Field(8080, description="Port of the API; 0 takes a free one.")
    metrics_host: str = Field("127.0.0.1", description="Address the metrics listen on.")
    metrics_port: Port = Field(9090, description="Port of `/metrics`; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Processes that serve the API.")
    insecure: bool = Field(
        default=False, description="Allow listening beyond loopback while `auth_modes` has `none`."
    )
    graphiql: bool = Field(default=True, description="Serve GraphiQL to browsers at `/graphql`.")
    compiled_execution: bool = Field(
        default=True, description="Compile operations that are asked for repeatedly; answers stay the same."
    )
    drain_s: float = Field(
        3.0, ge=0, le=25, description="Seconds between “not ready” and closing, for endpoints to notice."
    )
    shutdown_timeout_s: float = Field(
        20.0, gt=0, le=30, description="Seconds that running requests get to finish on shutdown."
    )

    log_level: Annotated[LogLevel, BeforeValidator(lowered)] = Field(
        LogLevel.INFO, description="`debug`, `info`, `warning`, `error` or `critical`."
    )
    log_format: Annotated[LogFormat, BeforeValidator(lowered)] = Field(
        LogFormat.AUTO, description="`json`, `console`, or `auto`: console on a terminal."
    )

    traces_url: HttpUrl | None = Field(
        None,
        description="OpenTelemetry: where traces are sent by OTLP over HTTP, `http://collector:4318`; unset: nowhere. "
        "Needs `pip install datastorage[otel]`.",
    )
    traces_sampled: float = Field(
        1.0, ge=0, le=1, description="Share of the requests that are traced where the caller has not decided."
    )

    database_url: DatabaseUrl | None = Field(
        None, description="`postgresql://user:password@host:5432/name`; unset: embedded PostgreSQL."
    )
    database_host: str | None = Field(None, description="Host of PostgreSQL, where no URL is given.")
    database_port: int = Field(5432, ge=1, le=65_535, description="Port of PostgreSQL.")
    database_name: str = Field("datastorage", description="Name of the database.")
    database_user: str = Field("datastorage", description="User of the database.")
    database_password: SecretStr | None = Field(None, description="Password of the database user.")
    database_ssl_mode: Annotated[SslMode, BeforeValidator(lowered)] = Field(
        SslMode.PREFER, description="TLS towards PostgreSQL, as libpq's `sslmode`; for host and URL alike."
    )
    database_pooler: Annotated[Pooler, BeforeValidator(lowered)] = Field(
        Pooler.NONE,
        description="`transaction`: the address is that of PgBouncer, or another pooler, in transaction mode.",
    )
    database_read_url: DatabaseUrl | None = Field(
        None,
        description="A streaming replica, for queries: `postgresql://host`; user, password and name as of the database.",
    )
    database_read_lag_max_s: Seconds = Field(
        2.0, description="So stale queries may be; while the replica is further behind, the primary answers."
    )
    embedded: Annotated[EmbeddedMode, BeforeValidator(lowered)] = Field(
        EmbeddedMode.AUTO, description="`off`: refuse to start without a database URL (containers)."
    )
    data_dir: Path | None = Field(
        None,
        description="Where the embedded PostgreSQL keeps its data; "
        "unset: the user data directory, or `/var/lib/datastorage` for root.",
    )
    migrate_on_start: bool = Field(
        default=False,
        description="Apply migrations at start with an external database; embedded always does.",
    )

    pool_size: int = Field(50, ge=8, le=500, description="Database connections per process, in all.")
    pool_acquire_timeout_s: Seconds = Field(10.0, description="Wait for a free connection.")
    query_timeout_s: Seconds = Field(
        30.0, description="A read statement may take this long, and no longer than its request."
    )
    write_timeout_s: Seconds = Field(
        10.0, description="A write statement may take this long, and no longer than its request."
    )
    request_timeout_s: Seconds = Field(60.0, description="A whole request may take this long.")

    embedding_provider: Annotated[ProviderKind, BeforeValidator(lowered)] = Field(
        ProviderKind.STATIC,
        description="`static`: the model in the package; `onnx`: one of your own in a folder; "
        "`openai`: an endpoint that speaks `/v1/embeddings`; `none`: no embeddings.",
    )
    embedding_model: str | None = Field(
        None,
        max_length=1_000,
        description="For `onnx` the folder with `model.onnx` and `tokenizer.json`, for `openai` the model's name.",
    )
    embedding_url: HttpUrl | None = Field(
        None, description="For `openai`: `http://host:8080/v1`; `/embeddings` is added."
    )
    embedding_api_key: SecretStr | None = Field(None, description="For `openai`: sent as bearer token.")
    embedding_dimensions: int | None = Field(
        None, ge=1, le=EMBEDDING_DIMENSIONS_MAX, description="For `openai`: length of the model's vectors."
    )
    embedding_send_dimensions: bool = Field(
        default=False, description="For `openai`: ask for vectors cut to that length, where the model can."
    )
    embedding_chars_max: int = Field(
        8_192,
        ge=100,
        le=EMBEDDED_CHARS_MAX,
        description="For `openai`: characters of a text that are sent; "
        "less for endpoints that refuse long texts instead of cutting them.",
    )
    embedding_timeout_s: Seconds = Field(
        2.0,
        description="Seconds that embedding may take, repeats included; then the record is stored "
        "without, to be embedded later.",
    )
    embedding_threads: int = Field(1, ge=1, le=64, description="For `onnx`: cores that one process may use.")
    embedding_document_prefix: str = Field(
        "",
        max_length=500,
        description="For `onnx` and `openai`: what the model wants before a stored text, such as `passage: `.",
    )
    embedding_query_prefix: str = Field(
        "",
        max_length=500,
        description="For `onnx` and `openai`: what it wants before a question, such as `query: `.",
    )

    cache_backend: Annotated[CacheBackend, BeforeValidator(lowered)] = Field(
        CacheBackend.MEMORY,
        description="Where embeddings are kept for a while: `memory` of each process, or `redis` for all.",
    )
    redis_url: RedisUrl | None = Field(
        None, description="`redis://user:password@host:6379/0`, Redis 6.2 or newer; `rediss://` for TLS."
    )
    cache_ttl_s: Seconds = Field(
        300.0, description="Seconds that a cached embedding is kept after its last use."
    )
    cache_bytes_max: int = Field(
        16 * 1024 * 1024, ge=0, description="Memory per process that cached embeddings may take."
    )

    vector_engine_url: Annotated[VectorEngineUrl | None, BeforeValidator(nothing_if_none)] = Field(
        None,
        description="A vector engine beside PostgreSQL: `milvus://host:19530/database`, `milvus+tls://…` for TLS, "
        "or the path of a Milvus Lite file `….db` (one worker); `none`: PostgreSQL alone.",
    )
    vector_engine_token: SecretStr | None = Field(None, description="Token of Milvus, or `user:password`.")
    vector_engine_timeout_s: Seconds = Field(
        2.0, description="Seconds that one call of the vector engine may take."
    )

    redaction_patterns: Patterns = Field(
        default_factory=dict,
        description='Further secrets to redact, as JSON: `{"name": "RE2 expression"}`.',
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Adds the YAML file as the weakest source."""
        config = InitSettingsSource(settings_cls, init_kwargs=read_config_file()[0])
        return init_settings, env_settings, dotenv_settings, file_secret_settings, config

    @field_validator("embedded")
    @classmethod
    def _needs_a_database(cls, value: EmbeddedMode, info: ValidationInfo) -> EmbeddedMode:
        # A URL that was refused is not among the data, and is a fault already.
        unnamed = all(info.data.get(name, "") is None for name in ("database_url", "database_host"))
        if value is EmbeddedMode.OFF and unnamed:
            raise ValueError(
                "is off and no database is named: set DATASTORAGE_DATABASE_URL (or DATASTORAGE_DATABASE_HOST)"
            )
        return value

    @field_validator("embedding_model", "embedding_url", "embedding_dimensions")
    @classmethod
    def _needed_by_the_provider(cls, value: object, info: ValidationInfo) -> object:
        provider = info.data.get("embedding_provider")  # absent if it was refused
        if value is None and info.field_name in NEEDED_BY_PROVIDER.get(provider, ()):
            raise ValueError(f"is needed by DATASTORAGE_EMBEDDING_PROVIDER={provider}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _needed_by_backends(cls, value: object, info: ValidationInfo) -> object:
        if value is None:
            for name in ("cache_backend", "rate_limit_backend"):
                if info.data.get(name) in (CacheBackend.REDIS, RateLimitBackend.REDIS):
                    raise ValueError(f"is needed by {PREFIX}{name.upper()}=redis")
        return value

    @field_validator("vector_engine_url")
    @classmethod
    def _a_file_has_one_process(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and "://" not in value and info.data.get("workers", 1) > 1:
            raise ValueError("is a file, which only one process can use: set DATASTORAGE_WORKERS=1")
        return value

    @property
    def has_database(self) -> bool:
        """Whether an external database is configured."""
        return self.database_url is not None or self.database_host is not None
