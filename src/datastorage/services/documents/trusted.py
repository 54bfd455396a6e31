"""Documents that whoever runs the service has listed in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from datastorage.errors import StartupError
from datastorage.services.documents.persisted import sha256_of
from datastorage.settings import Settings

_PREFIXED: Final = re.compile(r"sha256:(?=[0-9a-f]{64}$)")


@dataclass(frozen=True, slots=True)
class TrustedDocuments:
    """Each under the id of the list, and under its SHA-256, with and without `sha256:` before it."""

    listed: Mapping[str, str]
    by_id: Mapping[str, str]

    @classmethod
    def of(cls, listed: Mapping[str, str]) -> TrustedDocuments:
        """The documents of a list."""
        hashed = {sha256_of(text): text for text in listed.values()}
        return cls(listed, hashed | {_unprefixed(name): text for name, text in listed.items()})

    def named(self, name: str) -> str | None:
        """The document with this id."""
        return self.by_id.get(_unprefixed(name))

    def __contains__(self, text: str) -> bool:
        return self.by_id.get(sha256_of(text)) == text


def configured_trusted(settings: Settings) -> TrustedDocuments | None:
    """The documents of the file that the settings name. Errors: StartupError."""
    path = settings.trusted_documents
    return None if path is None else TrustedDocuments.of(_read(path))


def _read(path: Path) -> dict[str, str]:
    try:
        listed = orjson.loads(path.read_bytes())
    except OSError as error:
        raise StartupError(f"cannot read the trusted documents of {path}: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise StartupError(f"the trusted documents of {path} are no JSON: {error}") from None
    if not isinstance(listed, dict) or not all(isinstance(text, str) and text for text in listed.values()):
        raise StartupError(f'{path} must hold trusted documents by their ids: {{"id": "query …"}}')
    return listed


def _unprefixed(name: str) -> str:
    return _PREFIXED.sub("", name, count=1)
