"""Every setting: its variable, unit, default and bounds. Read once by the command line, then handed down.

Sources, strongest first: command-line options, environment (`DATASTORAGE_*`), `.env`, mounted secret
files (`DATASTORAGE_SECRETS_DIR`), YAML file (`DATASTORAGE_CONFIG_FILE`).
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PositiveFloat, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from datastorage.errors import SettingsError

PREFIX = "DATASTORAGE_"
# Read by the settings machinery and by the tests, not fields of Settings.
OTHER_VARIABLES = ("DATASTORAGE_CONFIG_FILE", "DATASTORAGE_SECRETS_DIR")


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
    NONE = "none"


class SslMode(StrEnum):
    """TLS towards PostgreSQL, as in libpq."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


def _lowered(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Port = Annotated[int, Field(ge=0, le=65_535)]  # 0: any free port, for tests and for no metrics listener


class Settings(BaseSettings):
    """All settings of one process; immutable."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
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

    database_url: SecretStr | None = Field(
        None, description="`postgresql://user:password@host:5432/name`; unset: embedded PostgreSQL."
    )
    database_host: str | None = Field(None, description="Host of PostgreSQL, where no URL is given.")
    database_port: Port = Field(5432, description="Port of PostgreSQL.")
    database_name: str = Field("datastorage", description="Name of the database.")
    database_user: str = Field("datastorage", description="User of the database.")
    database_password: SecretStr | None = Field(None, description="Password of the database user.")
    database_ssl_mode: SslMode = Field(
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

    pool_size: int = Field(50, ge=4, le=500, description="Database connections per process, in all.")
    pool_acquire_timeout_s: PositiveFloat = Field(10.0, description="Wait for a free connection.")
    query_timeout_s: PositiveFloat = Field(30.0, description="A read statement may take this long.")
    write_timeout_s: PositiveFloat = Field(10.0, description="A write statement may take this long.")
    request_timeout_s: PositiveFloat = Field(60.0, description="A whole request may take this long.")

    embedding_provider: Annotated[ProviderKind, BeforeValidator(_lowered)] = Field(
        ProviderKind.STATIC, description="`static`: the model in the package; `none`: no embeddings."
    )

    cache_ttl_s: PositiveFloat = Field(
        300.0, description="Seconds that a cached embedding is kept after its last use."
    )

    redaction_patterns: dict[str, str] = Field(
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
        yaml = YamlConfigSettingsSource(settings_cls, yaml_file=os.environ.get("DATASTORAGE_CONFIG_FILE"))
        return init_settings, env_settings, dotenv_settings, file_secret_settings, yaml

    @model_validator(mode="after")
    def _needs_a_database(self) -> Self:
        if self.embedded is EmbeddedMode.OFF and not self.has_database:
            raise ValueError(
                "DATASTORAGE_EMBEDDED is off and no database is named: "
                "set DATASTORAGE_DATABASE_URL (or DATASTORAGE_DATABASE_HOST)"
            )
        return self

    @property
    def has_database(self) -> bool:
        """Whether an external database is configured."""
        return self.database_url is not None or self.database_host is not None


def load_settings(**overrides: Any) -> Settings:
    """Settings from all sources; `overrides` are command-line options, None meaning “not given”.

    Errors: SettingsError with every wrong setting, one a line.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(_secrets_dir=os.environ.get("DATASTORAGE_SECRETS_DIR"), **given)
    except ValidationError as error:
        raise SettingsError(_all_faults(error)) from None


def unknown_variables() -> list[str]:
    """Variables with our prefix that no setting reads, each with a guess at what was meant."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | set(OTHER_VARIABLES)
    return [
        f"{name} is not a setting"
        + "".join(f"; did you mean {near}?" for near in get_close_matches(name, known, 1))
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in known and not name.startswith(PREFIX + "TEST_")
    ]


def _all_faults(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        lines.append(f"  {PREFIX}{place.upper()}: {message}" if place else f"  {message}")
    return "wrong settings:\n" + "\n".join(lines)
