"""What is sent: address, headers and body of a GraphQL request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel
from pydantic_core import to_json

_PATH: Final = "/graphql"
_ACCEPT: Final = "application/graphql-response+json, application/json;q=0.9"


def endpoint(url: str) -> str:
    """The address to ask, from one with or without `/graphql`. Errors: ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(f"not an http or https URL: {url!r}")
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(_PATH) else path + _PATH).geturl()


def headers(actor: str | None, token: str | None, others: Mapping[str, str]) -> dict[str, str]:
    """The headers of every request."""
    given = {
        "accept": _ACCEPT,
        "content-type": "application/json",
        "user-agent": f"datastorage-client/{_version()}",
    }
    if actor is not None:
        given["x-actor"] = actor
    if token is not None:
        given["authorization"] = f"Bearer {token}"
    return given | {name.lower(): value for name, value in others.items()}


def body(document: str, variables: Mapping[str, Any], operation_name: str | None = None) -> bytes:
    """The body; a variable that is None is sent as null."""
    given = {name: plain(value) for name, value in variables.items()}
    request = {"query": document, "variables": given}
    return to_json(request if operation_name is None else {**request, "operationName": operation_name})


def arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a method's arguments; those that are None were not given, so the API's defaults hold."""
    return {name: value for name, value in given.items() if value is not None}


def plain(value: Any) -> Any:
    """A variable as JSON has it; of an input only the fields that were given."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return value


def _version() -> str:
    for distribution in ("datastorage-client", "datastorage"):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "unknown"
