"""What settings let one choose between."""

from __future__ import annotations

from enum import StrEnum


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


class RateLimitBackend(StrEnum):
    """Where it is kept who has asked how often."""

    MEMORY = "memory"
    REDIS = "redis"


class Pooler(StrEnum):
    """What stands between the service and PostgreSQL."""

    NONE = "none"
    TRANSACTION = "transaction"


class SslMode(StrEnum):
    """TLS towards PostgreSQL, as in libpq."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class AuthMode(StrEnum):
    """A way to find out who a request comes from."""

    NONE = "none"
    API_KEY = "api_key"
    JWT = "jwt"
    KUBERNETES = "kubernetes"
    PROXY = "proxy"
    MTLS = "mtls"


class AccessAudit(StrEnum):
    """What the access audit records; each includes what stands before it."""

    DENIALS = "denials"
    MUTATIONS = "mutations"
    ALL = "all"
