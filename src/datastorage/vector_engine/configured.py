"""The engine as the settings say. Called by the composition root."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from datastorage.errors import StartupError
from datastorage.settings import Settings
from datastorage.vector_engine.milvus_address import MilvusAddress
from datastorage.vector_engine.port import VectorEngine


def configured_engine(settings: Settings) -> VectorEngine | None:
    """The engine, not yet connected; None when PostgreSQL is alone. Errors: StartupError."""
    if settings.vector_engine_url is None:
        return None
    token = settings.vector_engine_token
    address = MilvusAddress.parsed(
        settings.vector_engine_url, token.get_secret_value() if token is not None else ""
    )
    _check_installed("pymilvus", "pip install 'datastorage[milvus]'")
    if address.is_file:
        _check_installed("milvus_lite", "pip install 'datastorage[milvus]' milvus-lite")
        _check_place(Path(address.uri))
    from datastorage.vector_engine.milvus import (  # noqa: PLC0415 -- an extra, and slow to import
        MilvusEngine,
    )

    return MilvusEngine(address, settings.vector_engine_timeout_s)


def _check_installed(package: str, mend: str) -> None:
    if find_spec(package) is None:
        raise StartupError(
            f"DATASTORAGE_VECTOR_ENGINE_URL is set, but package {package} is not installed: {mend}"
        )


def _check_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise StartupError(f"DATASTORAGE_VECTOR_ENGINE_URL: the folder {path.parent} does not exist.")
    if path.is_file():
        raise StartupError(f"DATASTORAGE_VECTOR_ENGINE_URL: {path} is no Milvus Lite, which is a folder.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise StartupError(f"DATASTORAGE_VECTOR_ENGINE_URL: nothing can be written to {path}.")
