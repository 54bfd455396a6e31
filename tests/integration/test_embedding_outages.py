"""The API while its embedding endpoint or its Redis, both real servers, fail in every way: clients notice nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy.engine import URL

from datastorage.app import dependencies
from datastorage.embedding import MemoryCache, Prefixes
from datastorage.graphql.schema import build_schema
from datastorage.observability.labels import EmbeddingOutcome
from datastorage.observability.metrics import EMBEDDING_REQUESTS
from datastorage.repositories.vector_indexes import has_index
from datastorage.resilience import CircuitBreaker, CircuitName, CircuitState
from datastorage.services.dependencies import Dependencies
from datastorage.services.embedder import Embedder
from datastorage.services.health import Health
from datastorage.settings import CacheBackend, ProviderKind, Settings
from datastorage.web.application import build_application
from support.client import GraphQLClient
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer, Manner
from support.records import remediation_input
from support.redis_server import RedisServer

SEARCH = """
query($text: String!) {
  similarIncidents(text: $text) { degradedReason model hits { similarity incident { remediationRequestId } } }
}
"""
CREATE_MANY = """
mutation($inputs: [CreateRemediationAuditInput!]!) {
  createRemediationAudits(inputs: $inputs) {
    ... on CreateRemediationAuditPayload { receipt { similarity } }
    ... on UserError { message }
  }
}
"""
OPEN_S = 30.0
HEADLINES = ["disk", "memory", "network", "certificate", "pod", "queue", "login", "backup", "quota", "node"]


@dataclass
class Service:
    """The API on an endpoint, with a breaker whose clock the test moves."""

    client: GraphQLClient
    deps: Dependencies
    breaker: CircuitBreaker
    now: float = 0.0

    async def create(self, number: int, headline: str = "disk is full") -> str:
        """The similarity that the receipt of one more create tells."""
        created = await self.client.create(
            **remediation_input(remediationRequestId=f"rr-{number}", metadata={"summary": headline})
        )
        assert created["__typename"] == "CreateRemediationAuditPayload", created
        return created["receipt"]["similarity"]

    async def search(self, text: str) -> dict[str, Any]:
        answer = await self.client.ask(SEARCH, text=text)
        return answer.data["similarIncidents"]


@pytest.fixture(scope="module")
def the_endpoint() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer().start()
    yield server
    server.kill()


@pytest.fixture
def endpoint(the_endpoint: EmbeddingServer) -> EmbeddingServer:
    the_endpoint.answer(Manner.RIGHTLY)
    return the_endpoint


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer().start()
    yield server
    server.kill()


def settings_for(endpoint: EmbeddingServer, **changed: Any) -> Settings:
    return Settings(
        _env_file=None,
        pool_size=9,
        embedding_provider=ProviderKind.OPENAI,
        embedding_url=endpoint.url,
        embedding_model=MODEL,
        embedding_dimensions=DIMENSIONS,
        embedding_api_key=KEY,
        embedding_timeout_s=0.5,
        **changed,
    )


@asynccontextmanager
async def started(database_url: URL, settings: Settings) -> AsyncIterator[Service]:
    async with dependencies(database_url, settings) as deps:
        service = Service(GraphQLClient(None), deps, None)
        service.breaker = CircuitBreaker(CircuitName.EMBEDDING, open_s=OPEN_S, clock=lambda: service.now)
        deps.embedder._guarded._breaker = service.breaker
        app = build_application(build_schema(), settings)
        app.state.deps, app.state.health = deps, Health(deps.database)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            service.client = GraphQLClient(http)
            yield service


@pytest.fixture
async def service(database_url: URL, endpoint: EmbeddingServer) -> AsyncIterator[Service]:
    async with started(database_url, settings_for(endpoint)) as opened:
        yield opened


def requests(outcome: EmbeddingOutcome) -> float:
    return EMBEDDING_REQUESTS.labels(outcome)._value.get()


async def test_incidents_are_found_by_the_vectors_of_the_endpoint(
    service: Service, sql: asyncpg.Connection
) -> None:
    receipts = [await service.create(number, f"{word} trouble") for number, word in enumerate(HEADLINES)]

    found = await service.search("disk trouble")

    assert set(receipts) == {"INDEXED"}
    assert (found["degradedReason"], found["model"]) == (None, f"openai:{MODEL}@{DIMENSIONS}")
    assert len(found["hits"]) == 10
    assert await sql.fetch("SELECT DISTINCT model, vector_dims(vector) AS d FROM incident_embedding") == [
        (f"openai:{MODEL}@{DIMENSIONS}", DIMENSIONS)
    ]


@pytest.mark.parametrize(
    ("manner", "outcome"),
    [
        (Manner.LIMITED, EmbeddingOutcome.RATE_LIMITED),
        (Manner.BROKEN, EmbeddingOutcome.ERROR),
        (Manner.HANGING, EmbeddingOutcome.TIMEOUT),
        (Manner.DENYING, EmbeddingOutcome.ERROR),
        (Manner.WRONG_DIMENSIONS, EmbeddingOutcome.ERROR),
        (Manner.NOT_NUMBERS, EmbeddingOutcome.ERROR),
        (Manner.TOO_FEW, EmbeddingOutcome.ERROR),
    ],
)
async def test_whatever_the_endpoint_does_writes_stand_and_searches_answer(
    service: Service,
    endpoint: EmbeddingServer,
    sql: asyncpg.Connection,
    manner: Manner,
    outcome: EmbeddingOutcome,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = requests(outcome)
    endpoint.answer(manner)

    receipt = await service.create(1)
    found = await service.search("memory")

    assert receipt == "PENDING"
    assert found["degradedReason"] is not None
    assert [hit["incident"]["remediationRequestId"] for hit in found["hits"]] == ["rr-1"]
    assert await sql.fetchval("SELECT count(*) FROM incident_embedding") == 0
    assert await sql.fetchval("SELECT count(*) FROM remediation_event") == 1
    assert requests(outcome) - before == 2
    assert KEY not in "".join(capfd.readouterr())


async def test_the_breaker_opens_and_recovers_while_the_endpoint_is_killed_and_started(
    service: Service, endpoint: EmbeddingServer
) -> None:
    endpoint.kill()
    while_dead = [await service.create(number, f"{word} is bad") for number, word in enumerate(HEADLINES)]
    opened = service.breaker.state
    before = requests(EmbeddingOutcome.ERROR)
    still_open = await service.create(20, "one more")
    asked_while_open = requests(EmbeddingOutcome.ERROR) - before

    endpoint.start()
    service.now += OPEN_S
    back = await service.create(21, "another one")

    assert set(while_dead) == {"PENDING"}
    assert (opened, still_open, asked_while_open) == (CircuitState.OPEN, "PENDING", 0)
    assert (back, service.breaker.state) == ("INDEXED", CircuitState.CLOSED)
    assert await service.create(22, "disk is bad") == "INDEXED"


async def test_many_writers_at_once_survive_a_hanging_endpoint(
    service: Service, endpoint: EmbeddingServer
) -> None:
    endpoint.answer(Manner.HANGING)

    receipts = await asyncio.gather(
        *(service.create(number, f"case {word}") for number, word in enumerate(HEADLINES))
    )

    assert receipts == ["PENDING"] * 10


async def test_a_text_that_is_stored_already_needs_neither_endpoint_nor_cache(
    service: Service, endpoint: EmbeddingServer
) -> None:
    await service.create(1)
    service.deps.embedder._cache = MemoryCache()
    before, reads = len(endpoint.asked()), cache_reads()

    again = await service.create(2)

    assert again == "INDEXED"
    assert len(endpoint.asked()) == before
    hits, misses = (now - then for now, then in zip(cache_reads(), reads, strict=True))
    assert (hits, misses) == (1, 0)


def cache_reads() -> list[float]:
    return [REGISTRY.get_sample_value(f"datastorage_cache_{kind}_total") or 0 for kind in ("hits", "misses")]


async def test_one_text_that_the_endpoint_refuses_does_not_hold_up_the_others(
    service: Service, endpoint: EmbeddingServer
) -> None:
    endpoint.answer(Manner.PICKY)
    inputs = [
        remediation_input(remediationRequestId=f"rr-{number}", metadata={"summary": word})
        for number, word in enumerate([*HEADLINES, "long " * 100])
    ]

    answer = await service.client.ask(CREATE_MANY, inputs=inputs)
    told = [item["receipt"]["similarity"] for item in answer.data["createRemediationAudits"]]

    assert told == ["INDEXED"] * 10 + ["PENDING"]
    assert service.breaker.state is CircuitState.CLOSED


async def test_questions_and_stored_texts_have_their_own_prefixes(
    service: Service, endpoint: EmbeddingServer
) -> None:
    provider = service.deps.embedder.provider
    embedder = Embedder(provider, MemoryCache(), prefixes=Prefixes("passage: ", "query: "), timeout_s=30)
    deps = replace(service.deps, embedder=embedder)
    before = len(endpoint.asked())

    await deps.embedder.vectors({b"a" * 32: "disk full"})
    await deps.embedder.vector(b"a" * 32, "disk full")
    await deps.embedder.vector(b"a" * 32, "disk full")

    assert [call["input"] for call in endpoint.asked()[before:]] == [
        ["passage: disk full"],
        ["query: disk full"],
    ]


async def test_a_model_without_an_index_is_known_as_such(service: Service, sql: asyncpg.Connection) -> None:
    model, default = service.deps.embedder.model, "wordllama-l2-supercat-256"
    async with service.deps.database.read() as session:
        seen = [await has_index(session, model), await has_index(session, default)]
        await sql.execute(
            f"CREATE INDEX hnsw_model_of_the_test ON incident_embedding "
            f"USING hnsw ((vector::halfvec({DIMENSIONS})) halfvec_cosine_ops) WHERE model = '{model}'"
        )
        seen.append(await has_index(session, model))

    assert seen == [False, True, True]


# --- Redis


async def test_after_a_restart_of_the_service_redis_still_has_the_vectors(
    database_url: URL, endpoint: EmbeddingServer, redis_server: RedisServer
) -> None:
    settings = settings_for(endpoint, cache_backend=CacheBackend.REDIS, redis_url=redis_server.url)
    async with started(database_url, settings) as service:
        await service.create(1)
        await service.search("disk")
    before = len(endpoint.asked())

    async with started(database_url, settings) as service:
        found = await service.search("disk")

    assert found["degradedReason"] is None
    assert len(endpoint.asked()) == before


async def test_redis_is_killed_frozen_and_started_under_load_and_no_request_fails(
    database_url: URL, endpoint: EmbeddingServer, redis_server: RedisServer
) -> None:
    settings = settings_for(
        endpoint, cache_backend=CacheBackend.REDIS, redis_url=redis_server.url
    ).model_copy(update={"embedding_timeout_s": 30.0})
    done: list[str] = []
    ended = asyncio.Event()

    async def work(service: Service, worker: int) -> None:
        number = 0
        while not ended.is_set():
            word = HEADLINES[number % len(HEADLINES)]
            done.append(await service.create(worker * 100_000 + number, f"{word} of worker {worker}"))
            assert (await service.search(f"{word} is down"))["degradedReason"] is None
            number += 1

    async def progress() -> None:
        reached = len(done) + 20
        while len(done) < reached:
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in workers)

    async with started(database_url, settings) as service:
        workers = [asyncio.ensure_future(work(service, number)) for number in range(4)]
        try:
            await progress()
            redis_server.kill()
            await progress()
            redis_server.start()
            await progress()
            redis_server.freeze()
            await progress()
            redis_server.thaw()
            await progress()
        finally:
            ended.set()
            await asyncio.gather(*workers)

    assert set(done) == {"INDEXED"}
