"""Provider and cache as the settings say."""

from pathlib import Path
from typing import Any

import pytest

from datastorage.embedding import (
    MemoryCache,
    Prefixes,
    RedisCache,
    StaticProvider,
    configured_cache,
    configured_prefixes,
    configured_provider,
    model_and_dimensions,
)
from datastorage.embedding.onnx import OnnxProvider
from datastorage.embedding.openai import OpenAiProvider
from datastorage.errors import StartupError
from datastorage.settings import Settings
from support.onnx_models import DIMENSIONS, write_model, write_tokenizer

OPENAI = {
    "embedding_provider": "openai",
    "embedding_url": "http://tei:8080/v1",
    "embedding_model": "bge-small",
    "embedding_dimensions": 384,
}


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "bge-tiny"
    place.mkdir()
    write_tokenizer(place)
    write_model(place)
    return place


async def test_the_model_in_the_package_is_the_default() -> None:
    assert isinstance(configured_provider(settings()), StaticProvider)
    assert model_and_dimensions(settings()) == ("wordllama-l2-supercat-256", 256)


async def test_without_embeddings_there_is_no_provider() -> None:
    assert configured_provider(settings(embedding_provider="none")) is None
    assert model_and_dimensions(settings(embedding_provider="none")) == ("", None)


async def test_a_model_of_ones_own_is_called_after_its_folder(folder: Path) -> None:
    given = settings(embedding_provider="onnx", embedding_model=f"{folder}/")

    provider = configured_provider(given)

    assert isinstance(provider, OnnxProvider)
    assert (provider.model, provider.dimensions) == ("onnx:bge-tiny", DIMENSIONS)
    assert model_and_dimensions(given) == ("onnx:bge-tiny", DIMENSIONS)
    await provider.close()


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    given = settings(embedding_provider="onnx", embedding_model=str(tmp_path / "absent"))

    with pytest.raises(StartupError, match=r"absent/model.onnx is no file"):
        model_and_dimensions(given)


@pytest.mark.parametrize(
    "url", ["http://tei:8080/v1", "http://tei:8080/v1/", "http://tei:8080/v1/embeddings"]
)
async def test_an_endpoint_is_called_after_its_model_and_its_dimensions(url: str) -> None:
    given = settings(**{**OPENAI, "embedding_url": url})

    provider = configured_provider(given)

    assert isinstance(provider, OpenAiProvider)
    assert provider._endpoint.url == "http://tei:8080/v1/embeddings"
    assert (
        (provider.model, provider.dimensions) == model_and_dimensions(given) == ("openai:bge-small@384", 384)
    )
    await provider.close()


def test_vectors_of_texts_behind_a_prefix_have_a_name_of_their_own() -> None:
    names = [
        model_and_dimensions(settings(**OPENAI, embedding_document_prefix=prefix))[0]
        for prefix in ("", "passage: ", "search_document: ")
    ]

    assert len(set(names)) == 3
    assert all(name.startswith("openai:bge-small@384") for name in names)


def test_prefixes_are_not_for_the_model_in_the_package() -> None:
    given = {"embedding_document_prefix": "passage: ", "embedding_query_prefix": "query: "}

    assert configured_prefixes(settings(**given)) == Prefixes()
    assert configured_prefixes(settings(**OPENAI, **given)) == Prefixes("passage: ", "query: ")


async def test_the_cache_is_in_memory_unless_redis_is_asked_for() -> None:
    provider = StaticProvider.load()
    shared = {"cache_backend": "redis", "redis_url": "redis://redis:6379/0"}

    in_memory = configured_cache(settings(), provider)
    in_redis = configured_cache(settings(**shared), provider)
    for_nothing = configured_cache(settings(**shared), None)

    assert [type(cache) for cache in (in_memory, in_redis, for_nothing)] == [
        MemoryCache,
        RedisCache,
        MemoryCache,
    ]
    await in_redis.close()
