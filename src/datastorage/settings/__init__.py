"""The settings of a process. Read once by the command line, then handed down.

Sources, strongest first: command-line options, environment (`DATASTORAGE_*`), `.env`, mounted secret
files (`DATASTORAGE_SECRETS_DIR`), YAML file (`DATASTORAGE_CONFIG_FILE`).
"""

from datastorage.settings.authentication import AuthenticationSettings, Grant
from datastorage.settings.choices import (
    AccessAudit,
    AuthMode,
    CacheBackend,
    EmbeddedMode,
    LogFormat,
    LogLevel,
    Pooler,
    ProviderKind,
    RateLimitBackend,
    SslMode,
)
from datastorage.settings.model import PREFIX, Settings
from datastorage.settings.sources import load_settings, unknown_variables
from datastorage.settings.values import MILVUS_SCHEMES, url_fault

__all__ = [
    "MILVUS_SCHEMES",
    "PREFIX",
    "AccessAudit",
    "AuthMode",
    "AuthenticationSettings",
    "CacheBackend",
    "EmbeddedMode",
    "Grant",
    "LogFormat",
    "LogLevel",
    "Pooler",
    "ProviderKind",
    "RateLimitBackend",
    "Settings",
    "SslMode",
    "load_settings",
    "unknown_variables",
    "url_fault",
]
