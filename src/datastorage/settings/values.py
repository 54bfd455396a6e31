"""The types of settings, and what their values must be."""

from __future__ import annotations

import json
import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from datastorage.settings.choices import SslMode

URL_DIALECTS: Final = ("postgres", "postgresql", "postgresql+asyncpg")
MILVUS_SCHEMES: Final = ("milvus", "milvus+tls")
MILVUS_FILE_SUFFIX: Final = ".db"  # by which pymilvus knows a file
# Of libpq's parameters, those that asyncpg knows too.
URL_PARAMETERS: Final = re.compile(
    "host|port|user|password|options|passfile|target_session_attrs|"
    "ssl(mode|cert|crl|key|negotiation|password|rootcert|_min_protocol_version|_max_protocol_version)?"
)


def lowered(value: object) -> object:
    """A word as its enum spells it, however it was written."""
    return value.strip().lower() if isinstance(value, str) else value


def listed(value: object) -> object:
    """Words with commas between; a list from a YAML file is one already."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def not_all_of_it(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """A network of somebody's own. Errors: ValueError."""
    if network.prefixlen == 0:
        raise ValueError("holds every address there is; name the gateway's network")
    return network


def parsed_json(value: object) -> object:
    """JSON from a variable; what a YAML file holds is parsed already. Errors: ValueError."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError('is no JSON; expected {"name": "RE2 expression"}') from None


def usable_url(value: SecretStr) -> SecretStr:
    """A URL of a PostgreSQL database. Errors: ValueError, which does not tell the URL."""
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


def http_url(value: str) -> str:
    """A URL of an embedding endpoint, without secrets. Errors: ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is no URL of an endpoint; expected http://host:8080/v1")
    if parts.username is not None or parts.password is not None or parts.query:
        raise ValueError(
            "must carry no user, password or query; a key goes into DATASTORAGE_EMBEDDING_API_KEY"
        )
    return value


def redis_url(value: SecretStr) -> SecretStr:
    """A URL of Redis. Errors: ValueError, which does not tell the URL."""
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("redis", "rediss", "unix") or not (parts.hostname or parts.path):
        raise ValueError("is no URL of Redis; expected redis://user:password@host:6379/0")
    return value


def nothing_if_none(value: object) -> object:
    """The word `none`, however written, is no value."""
    return None if lowered(value) in ("none", "") else value


def vector_engine_url(value: str) -> str:
    """A URL of Milvus, or the path of a Milvus Lite file; without secrets. Errors: ValueError."""
    if "://" not in value:
        if not value.endswith(MILVUS_FILE_SUFFIX):
            raise ValueError("is neither a URL such as milvus://host:19530 nor the path of a file `….db`")
        return value
    parts = urlsplit(value)
    if parts.scheme not in MILVUS_SCHEMES or not parts.hostname or not _has_port(parts):
        raise ValueError("is no URL of Milvus; expected milvus://host:19530/database, or milvus+tls://…")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "must carry no user, password or query; a token goes into DATASTORAGE_VECTOR_ENGINE_TOKEN"
        )
    if "/" in parts.path.strip("/"):
        raise ValueError("names more than one database; expected milvus://host:19530/database")
    return value


def _has_port(parts: SplitResult) -> bool:
    """Whether its port is a number, or left out."""
    try:
        return parts.port != 0
    except ValueError:
        return False


Port = Annotated[int, Field(ge=0, le=65_535)]  # 0: any free port, for tests and for no metrics listener
Seconds = Annotated[float, Field(ge=0.001, le=86_400)]  # PostgreSQL counts in whole milliseconds
Network = Annotated[IPv4Network | IPv6Network, AfterValidator(not_all_of_it)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(listed)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(usable_url)]
HttpUrl = Annotated[str, AfterValidator(http_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(redis_url)]
VectorEngineUrl = Annotated[str, AfterValidator(vector_engine_url)]
Patterns = Annotated[dict[str, str], NoDecode, BeforeValidator(parsed_json)]
