"""The vector engine as the settings say."""

import os
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from datastorage.errors import StartupError
from datastorage.settings import Settings, load_settings
from datastorage.vector_engine import configured
from datastorage.vector_engine.configured import configured_engine
from datastorage.vector_engine.milvus import MilvusEngine
from datastorage.vector_engine.milvus_address import MilvusAddress
from datastorage.vector_engine.milvus_collection import collection_name

TOKEN = "root:Sesam-0effne-dich"


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


@pytest.mark.parametrize("url", [None, "none", "NONE", ""])
def test_without_a_url_postgresql_is_alone(url: str | None) -> None:
    assert configured_engine(settings(vector_engine_url=url)) is None


@pytest.mark.parametrize("url", ["milvus://milvus:19530", "milvus+tls://milvus/incidents"])
async def test_a_url_makes_an_engine_without_connecting(url: str) -> None:
    engine = configured_engine(settings(vector_engine_url=url, vector_engine_token=TOKEN))

    assert isinstance(engine, MilvusEngine)
    await engine.close()


@pytest.mark.parametrize(
    ("url", "uri", "database"),
    [
        ("milvus://milvus:1", "http://milvus:1", ""),
        ("milvus://milvus", "http://milvus:19530", ""),
        ("milvus://[::1]:7/incidents", "http://[::1]:7", "incidents"),
        ("milvus+tls://milvus/incidents/", "https://milvus:19530", "incidents"),
        ("./vectors.db", "./vectors.db", ""),
    ],
)
def test_a_url_is_told_as_pymilvus_wants_it(url: str, uri: str, database: str) -> None:
    address = MilvusAddress.parsed(url, TOKEN)

    assert {**address.arguments, "grpc_options": None} == {
        "uri": uri,
        "db_name": database,
        "token": TOKEN,
        "grpc_options": None,
    }
    assert TOKEN not in repr(address)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("vectors.sqlite", "neither a URL such as milvus://host:19530 nor the path of a file"),
        ("http://milvus:19530", "is no URL of Milvus"),
        ("milvus://", "is no URL of Milvus"),
        ("milvus://milvus:port", "is no URL of Milvus"),
        ("milvus://milvus:70000", "is no URL of Milvus"),
        ("milvus://milvus:0", "is no URL of Milvus"),
        (f"milvus://{TOKEN}@milvus:19530", "must carry no user, password or query"),
        (f"milvus://milvus:19530?token={TOKEN}", "must carry no user, password or query"),
        ("milvus://milvus:19530/a/b", "names more than one database"),
    ],
)
def test_a_wrong_url_is_refused_without_being_told(url: str, fault: str) -> None:
    with pytest.raises(ValidationError, match="vector_engine_url") as refused:
        settings(vector_engine_url=url)

    assert fault in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_a_file_has_one_process() -> None:
    with pytest.raises(ValidationError, match="only one process can use: set DATASTORAGE_WORKERS=1"):
        settings(vector_engine_url="vectors.db", workers=2)

    assert settings(vector_engine_url="milvus://milvus", workers=2).workers == 2


def test_a_file_in_no_folder_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="absent does not exist"):
        configured_engine(settings(vector_engine_url=str(tmp_path / "absent" / "vectors.db")))


def test_a_file_that_is_no_milvus_lite_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "other.db").write_text("something else")

    with pytest.raises(StartupError, match=r"other\.db is no Milvus Lite, which is a folder"):
        configured_engine(settings(vector_engine_url=str(tmp_path / "other.db")))


@pytest.mark.parametrize("place", ["vectors.db", "there.db"])
def test_a_place_that_cannot_be_written_is_refused_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "there.db").mkdir()
    monkeypatch.setattr(
        configured.os, "access", lambda _path, mode: mode != os.W_OK
    )  # root may write everywhere

    with pytest.raises(StartupError, match=rf"nothing can be written to .*{place}"):
        configured_engine(settings(vector_engine_url=str(tmp_path / place)))


@pytest.mark.parametrize(
    ("url", "package", "mend"),
    [
        ("milvus://milvus", "pymilvus", r"pip install 'datastorage\[milvus\]'$"),
        ("vectors.db", "milvus_lite", r"pip install 'datastorage\[milvus\]' milvus-lite$"),
    ],
)
def test_a_missing_package_is_named_with_its_mending(
    monkeypatch: pytest.MonkeyPatch, url: str, package: str, mend: str
) -> None:
    monkeypatch.setattr(
        configured, "find_spec", lambda name: None if name == package else util.find_spec(name)
    )

    with pytest.raises(StartupError, match=mend):
        configured_engine(settings(vector_engine_url=url))


def test_the_token_may_be_a_mounted_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "DATASTORAGE_VECTOR_ENGINE_TOKEN").write_text(TOKEN)
    monkeypatch.setenv("DATASTORAGE_SECRETS_DIR", str(tmp_path))

    loaded = load_settings()

    assert loaded.vector_engine_token == SecretStr(TOKEN)
    assert TOKEN not in repr(loaded)


def test_collections_of_distinct_models_have_distinct_names() -> None:
    names = [
        collection_name(model, dimensions)
        for model in ("openai:a@8", "openai:a_8", "Ä" * 300, "x" * 300, "x" * 301)
        for dimensions in (8, 9)
    ]

    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.isidentifier() and len(name) <= 255 for name in names)


def test_postgresql_alone_does_not_import_pymilvus() -> None:
    code = (
        "import sys; from datastorage.settings import Settings;"
        "from datastorage.vector_engine.configured import configured_engine;"
        "assert configured_engine(Settings(_env_file=None)) is None; assert 'pymilvus' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
