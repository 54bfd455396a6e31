"""Every setting: its variable, unit, default and bounds. Read once by the command line, then handed down.

Sources, strongest first: command-line options, environment (`DATASTORAGE_*`), `.env`, mounted secret
files (`DATASTORAGE_SECRETS_DIR`), YAML file (`DATASTORAGE_CONFIG_FILE`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import yaml
from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from datastorage.errors import SettingsError
from datastorage.limits import EMBEDDED_CHARS_MAX, EMBEDDING_DIMENSIONS_MAX

PREFIX: Final = "DATASTORAGE_"
ENV_FILE: Final = ".env"
CONFIG_FILE: Final = "DATASTORAGE_CONFIG_FILE"
SECRETS_DIR: Final = "DATASTORAGE_SECRETS_DIR"
# What Kubernetes tells each pod about the Services around it, one of which may have our name.
OF_KUBERNETES: Final = re.compile(r"_SERVICE_(HOST|PORT\w*)$|_PORT_\d+_(TCP|UDP|SCTP)\w*$")
URL_DIALECTS: Final = ("postgres", "postgresql", "postgresql+asyncpg")
# Of libpq's parameters, those that asyncpg knows too.
URL_PARAMETERS: Final = re.compile(
    "host|port|user|password|options|passfile|target_session_attrs|"
    "ssl(mode|cert|crl|key|negotiation|password|rootcert|_min_protocol_version|_max_protocol_version)?"
)


class LogFormat(StrEnum):
    """How log lines look."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class EmbeddedMode(StrEnum):
    """Whether an embedded PostgreSQL may stand in for a missing database URL."""

    AUTO = "auto"
    OFF = "off"


class ProviderKind(StrEnum):
    """Where embeddings come from."""

    STATIC = "static"
    ONNX = "onnx"
    OPENAI = "openai"
    NONE = "none"


class CacheBackend(StrEnum):
    """Where embeddings are kept for a while."""

    MEMORY = "memory"
    REDIS = "redis"


class SslMode(StrEnum):
    """TLS towards PostgreSQL, as in libpq."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


NEEDED_BY_PROVIDER: Final[Mapping[ProviderKind | None, tuple[str, ...]]] = {
    ProviderKind.ONNX: ("embedding_model",),
    ProviderKind.OPENAI: ("embedding_model", "embedding_url", "embedding_dimensions"),
}


def _lowered(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _parsed_json(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError('is no JSON; expected {"name": "RE2 expression"}') from None


def _usable_url(value: SecretStr) -> SecretStr:
    fault = url_fault(value.get_secret_value())
    if fault:
        raise ValueError(fault)
    return value


def url_fault(text: str) -> str | None:
    """Why this is no URL of a PostgreSQL database, without telling it; None when it is one."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return "is no URL; expected postgresql://user:password@host:5432/name"
    if url.drivername not in URL_DIALECTS:
        return f"names {url.drivername!r}; only postgresql:// is supported"
    for name, value in url.query.items():
        if not URL_PARAMETERS.fullmatch(name):
            return f"parameter {name!r} is not supported"
        if name in ("ssl", "sslmode") and value not in list(SslMode):
            return f"{name} must be disable, allow, prefer, require, verify-ca or verify-full"
    return None


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no URL of an endpoint; expected http://host:8080/v1")
    if parts.username is not None or parts.password is not None or parts.query:
        raise ValueError(
            "must carry no user, password or query; a key goes into DATASTORAGE_EMBEDDING_API_KEY"
        )
    return value


def _redis_url(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("redis", "rediss", "unix") or not (parts.hostname or parts.path):
        raise ValueError("is no URL of Redis; expected redis://user:password@host:6379/0")
    return value


Port = Annotated[int, Field(ge=0, le=65_535)]  # 0: any free port, for tests and for no metrics listener
Seconds = Annotated[float, Field(ge=0.001, le=86_400)]  # PostgreSQL counts in whole milliseconds


class Settings(BaseSettings):
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
        default=False, description="Allow listening beyond loopback while nobody is authenticated."
    )
    graphiql: bool = Field(default=True, description="Serve GraphiQL to browsers at `/graphql`.")
    drain_s: float = Field(
        3.0, ge=0, le=25, description="Seconds between “not ready” and closing, for endpoints to notice."
    )
    shutdown_timeout_s: float = Field(
        20.0, gt=0, le=30, description="Seconds that running requests get to finish on shutdown."
    )

    log_level: Annotated[LogLevel, BeforeValidator(_lowered)] = Field(
        LogLevel.INFO, description="`debug`, `info`, `warning`, `error` or `critical`."
    )
    log_format: Annotated[LogFormat, BeforeValidator(_lowered)] = Field(
        LogFormat.AUTO, description="`json`, `console`, or `auto`: console on a terminal."
    )

    database_url: Annotated[SecretStr, AfterValidator(_usable_url)] | None = Field(
        None, description="`postgresql://user:password@host:5432/name`; unset: embedded PostgreSQL."
    )
    database_host: str | None = Field(None, description="Host of PostgreSQL, where no URL is given.")
    database_port: int = Field(5432, ge=1, le=65_535, description="Port of PostgreSQL.")
    database_name: str = Field("datastorage", description="Name of the database.")
    database_user: str = Field("datastorage", description="User of the database.")
    database_password: SecretStr | None = Field(None, description="Password of the database user.")
    database_ssl_mode: Annotated[SslMode, BeforeValidator(_lowered)] = Field(
        SslMode.PREFER, description="TLS towards PostgreSQL, as libpq's `sslmode`; for host and URL alike."
    )
    embedded: Annotated[EmbeddedMode, BeforeValidator(_lowered)] = Field(
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

    pool_size: int = Field(50, ge=6, le=500, description="Database connections per process, in all.")
    pool_acquire_timeout_s: Seconds = Field(10.0, description="Wait for a free connection.")
    query_timeout_s: Seconds = Field(30.0, description="A read statement may take this long.")
    write_timeout_s: Seconds = Field(10.0, description="A write statement may take this long.")
    request_timeout_s: Seconds = Field(60.0, description="A whole request may take this long.")

    embedding_provider: Annotated[ProviderKind, BeforeValidator(_lowered)] = Field(
        ProviderKind.STATIC,
        description="`static`: the model in the package; `onnx`: one of your own in a folder; "
        "`openai`: an endpoint that speaks `/v1/embeddings`; `none`: no embeddings.",
    )
    embedding_model: str | None = Field(
        None,
        max_length=1_000,
        description="For `onnx` the folder with `model.onnx` and `tokenizer.json`, for `openai` the model's name.",
    )
    embedding_url: Annotated[str, AfterValidator(_http_url)] | None = Field(
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

    cache_backend: Annotated[CacheBackend, BeforeValidator(_lowered)] = Field(
        CacheBackend.MEMORY,
        description="Where embeddings are kept for a while: `memory` of each process, or `redis` for all.",
    )
    redis_url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = Field(
        None, description="`redis://user:password@host:6379/0`, Redis 6.2 or newer; `rediss://` for TLS."
    )
    cache_ttl_s: Seconds = Field(
        300.0, description="Seconds that a cached embedding is kept after its last use."
    )
    cache_bytes_max: int = Field(
        16 * 1024 * 1024, ge=0, description="Memory per process that cached embeddings may take."
    )

    redaction_patterns: Annotated[dict[str, str], NoDecode, BeforeValidator(_parsed_json)] = Field(
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
        config = InitSettingsSource(settings_cls, init_kwargs=_read_config_file()[0])
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
    def _needed_by_the_cache(cls, value: object, info: ValidationInfo) -> object:
        if value is None and info.data.get("cache_backend") is CacheBackend.REDIS:
            raise ValueError("is needed by DATASTORAGE_CACHE_BACKEND=redis")
        return value

    @property
    def has_database(self) -> bool:
        """Whether an external database is configured."""
        return self.database_url is not None or self.database_host is not None


def load_settings(**overrides: Any) -> Settings:
    """Settings from all sources; `overrides` are command-line options, None meaning “not given”.

    Errors: SettingsError with every wrong setting, one a line.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    faults = _read_config_file()[1]
    secrets_dir = os.environ.get(SECRETS_DIR) or None
    if secrets_dir is not None and not Path(secrets_dir).is_dir():
        faults.append(f"{SECRETS_DIR}: {secrets_dir} is no directory")
        secrets_dir = None
    try:
        settings = Settings(_secrets_dir=secrets_dir, **given)
    except ValidationError as error:
        faults += _described(error)
    if faults:
        raise SettingsError("\n  ".join(["wrong settings:", *faults]))
    return settings


def unknown_variables() -> list[str]:
    """What is set with our prefix and read by no setting, each with a guess at what was meant."""
    fields = set(Settings.model_fields)
    variables = {PREFIX + name.upper() for name in fields} | {CONFIG_FILE, SECRETS_DIR}
    unknown = [
        *_unknown(_ours(os.environ), variables, ""),
        *_unknown(_ours(dotenv_values(ENV_FILE)), variables, f" (in {ENV_FILE})"),
        *_unknown(_read_config_file()[0], fields, f" (in {os.environ.get(CONFIG_FILE)})"),
    ]
    return sorted(unknown)


def _ours(variables: Mapping[str, str | None]) -> Iterator[str]:
    for name, value in variables.items():
        if not name.upper().startswith(PREFIX) or name.startswith(PREFIX + "TEST_"):
            continue
        if not OF_KUBERNETES.search(name) and not (value or "").startswith(("tcp://", "udp://")):
            yield name


def _unknown(names: Iterable[str], known: set[str], place: str) -> Iterator[str]:
    uppercase = all(name.isupper() for name in known)
    for name in names:
        spelled = name.upper() if uppercase else name
        if spelled not in known:
            guesses = get_close_matches(spelled, known, 1, cutoff=0.75)
            yield f"{name}{place} is not a setting" + "".join(f"; did you mean {guess}?" for guess in guesses)


def _read_config_file() -> tuple[dict[str, Any], list[str]]:
    """The settings of the YAML file, and what is wrong with it; never its content, which may be secret."""
    path = os.environ.get(CONFIG_FILE)
    if not path:
        return {}, []
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{CONFIG_FILE}: {path}: {getattr(error, 'strerror', None) or 'is no text in UTF-8'}"]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return {}, [f"{CONFIG_FILE}: {path}: is no YAML" + (f" (line {mark.line + 1})" if mark else "")]
    if content is None:
        return {}, []
    if not isinstance(content, dict):
        return {}, [f"{CONFIG_FILE}: {path}: holds no settings; expected lines such as `http_port: 8080`"]
    return {str(name): value for name, value in content.items()}, []


def _described(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        yield f"{PREFIX}{place.upper()}: {message}"
