"""`datastorage doctor` on providers, caches and vector engines, as an operator meets them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from support.command_line import CommandLine, Ended
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer, Manner
from support.milvus_server import MilvusServer
from support.onnx_models import write_model, write_tokenizer
from support.redis_server import RedisServer

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def command_line() -> Iterator[CommandLine]:
    with CommandLine() as command_line:
        yield command_line


@pytest.fixture
def doctor(command_line: CommandLine, database_url: URL) -> Run:
    """Runs the command with these settings; no key is ever told."""
    place = database_url.set(drivername="postgresql").difference_update_query(["ssl"])

    def run(**variables: str) -> Ended:
        given = {"DATABASE_URL": place.render_as_string(hide_password=False), "POOL_SIZE": "9", **variables}
        ended = command_line.run(
            "doctor",
            variables={"COLUMNS": "400"} | {f"DATASTORAGE_{name}": value for name, value in given.items()},
        )
        assert KEY not in ended.said
        assert "Traceback" not in ended.said
        return ended

    return run


@pytest.fixture
def endpoint() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer().start()
    yield server
    server.kill()


async def test_an_endpoint_is_asked_for_one_text(doctor: Run, endpoint: EmbeddingServer) -> None:
    given = {
        "EMBEDDING_PROVIDER": "openai", "EMBEDDING_URL": endpoint.url, "EMBEDDING_MODEL": MODEL,
        "EMBEDDING_DIMENSIONS": str(DIMENSIONS), "EMBEDDING_API_KEY": KEY,
    }  # fmt: skip

    well = doctor(**given)
    endpoint.answer(Manner.WRONG_DIMENSIONS)
    wrong = doctor(**given)
    endpoint.answer(Manner.DENYING)
    denied = doctor(**given)
    endpoint.kill()
    gone = doctor(**given)

    assert well.code == wrong.code == denied.code == gone.code == 0  # it would run, and embed later
    assert f"✓ embedding openai:{MODEL}@8, 8 dimensions" in well.said
    assert f"! index none over the vectors of openai:{MODEL}@8: searches compare every vector" in well.said
    assert "gave 9 dimensions, DATASTORAGE_EMBEDDING_DIMENSIONS says 8" in wrong.said
    assert "! embedding" in denied.said
    assert "401 Unauthorized: check DATASTORAGE_EMBEDDING_API_KEY" in denied.said
    assert "the endpoint is out of reach" in gone.said


async def test_a_model_of_ones_own_is_tried(doctor: Run, tmp_path: Path) -> None:
    folder = tmp_path / "bge-tiny"
    folder.mkdir()
    write_tokenizer(folder)
    write_model(folder)

    well = doctor(EMBEDDING_PROVIDER="onnx", EMBEDDING_MODEL=str(folder))
    (folder / "model.onnx").unlink()
    lacking = doctor(EMBEDDING_PROVIDER="onnx", EMBEDDING_MODEL=str(folder))

    assert well.code == 0
    assert "✓ embedding onnx:bge-tiny, 6 dimensions" in well.said
    assert lacking.code == 1
    assert "✗ embedding The embedding model is missing:" in lacking.said


async def test_redis_is_asked_for_a_sign_of_life(doctor: Run) -> None:
    redis = RedisServer().start()
    given = {"CACHE_BACKEND": "redis", "REDIS_URL": redis.url}

    well = doctor(**given)
    redis.freeze()
    frozen = doctor(**given)
    redis.kill()
    gone = doctor(**given)

    assert "✓ cache Redis answers" in well.said
    assert (frozen.code, gone.code) == (0, 0)
    assert "! cache Redis is out of reach" in frozen.said
    assert "! cache Redis is out of reach" in gone.said


async def test_the_vector_engine_is_prepared_and_counted(doctor: Run, milvus: MilvusServer) -> None:
    well = doctor(VECTOR_ENGINE_URL=milvus.url)
    milvus.kill()
    gone = doctor(VECTOR_ENGINE_URL=milvus.url)

    assert (well.code, gone.code) == (0, 0)  # it would run, on PostgreSQL alone
    assert "✓ vector engine answers, and has 0 vectors of wordllama-l2-supercat-256" in well.said
    assert "! vector engine The vector engine cannot be reached" in gone.said
    assert "check DATASTORAGE_VECTOR_ENGINE_URL" in gone.said
