"""Whatever breaks beside the service, no answer and no metric tells of its inside, and no secret reaches a log."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import jwt
import pytest
from sqlalchemy.engine import URL

from support.access import identity_server
from support.breaking import BreakableServer
from support.certificates import Authority
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer, Manner
from support.identities import AUDIENCE, OWN_TOKEN, Cluster, Issuer
from support.milvus_server import MilvusServer
from support.process_host import ProcessHost
from support.records import remediation_input
from support.redis_server import RedisServer
from support.service import Service, environment, started

AGENT = "system:serviceaccount:ops:agent"
PASSWORD, REDIS_PASSWORD, MILVUS_PASSWORD = "pg-hunter2secret", "redis-hunter3secret", "milvus-hunter4secret"
SECRETS = (PASSWORD, REDIS_PASSWORD, MILVUS_PASSWORD, KEY, OWN_TOKEN)
INSIDE = re.compile(
    r"asyncpg|sqlalchemy|psycopg|pymilvus|grpc|httpx|uvicorn|redis\.|orjson"  # what it is built of
    r"|Traceback|File \"|\.py\b|0x[0-9a-f]{8}"  # stacks
    r"|SELECT |INSERT |UPDATE |remediation_event|relation \"|\$1"  # SQL
    r"|/(?:work|tmp|home|root|usr|dev|var)/"  # paths
    r"|Errno|ECONN|onnection refused|reset by peer|127\.0\.0\.1|localhost:"  # hosts, and what their sockets said
)
LIST = "{ remediationAudits(first: 2) { nodes { name } totalCount } }"
SEARCH = '{ similarIncidents(text: "out of memory", first: 3) { degradedReason hits { score } } }'
STATUS = "{ systemStatus { mode databaseUp circuits { name state } } }"
CREATE = """mutation ($input: CreateRemediationAuditInput!) { createRemediationAudit(input: $input) {
  __typename ... on UserError { message code } ... on CreateRemediationAuditPayload { receipt { similarity } } } }"""


def spelled(number: int) -> str:
    """A new text for every number: digits would be masked."""
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return " ".join(names[int(digit)] for digit in str(number))


@dataclass
class Heard:
    """All that a service has answered."""

    service: Service
    alice: str
    agent: Callable[[], str]
    answers: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    async def round(self) -> str:
        """Asks for one of everything; what was answered this time."""
        number = next(self.numbers)
        search = SEARCH.replace("out of memory", f"{spelled(number)} is out of memory")
        key = remediation_input(
            remediationRequestId=f"told-{number}", errorMessage=f"memory of {spelled(number)} was exhausted"
        )
        asked = [
            ("POST", "/graphql", self.alice, {"query": LIST}),
            ("POST", "/graphql", self.alice, {"query": search}),
            ("POST", "/graphql", self.alice, {"query": STATUS}),
            ("POST", "/graphql", self.alice, {"query": CREATE, "variables": {"input": key}}),
            ("POST", "/graphql", self.agent(), {"query": LIST}),
            ("POST", "/graphql", "ds_nobody", {"query": LIST}),
            ("GET", "/ready", "", None),
        ]
        async with httpx.AsyncClient(base_url=self.service.url, timeout=60) as http:
            answers = await asyncio.gather(
                *(
                    http.request(method, path, headers={"authorization": f"Bearer {token or 0}"}, json=body)
                    for method, path, token, body in asked
                )
            )
            figures = await http.get(f"{self.service.metrics_url}/metrics")
        said = [f"{answer.status_code} {answer.headers} {answer.text}" for answer in answers]
        self.answers += said
        self.metrics.append(figures.text)
        return "\n".join(said)

    async def until(self, expected: str) -> None:
        """Rounds until somebody notices."""
        for _ in range(30):
            if re.search(expected, await self.round()):
                return
            await asyncio.sleep(0.3)
        pytest.fail(f"nobody noticed: {expected}\n" + "\n".join(self.answers[-7:]))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with identity_server() as server:
        yield Issuer(server).with_key("k1")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    authority = Authority(tmp_path)
    own = tmp_path / "token"
    own.write_text(OWN_TOKEN)
    with identity_server(authority.signed("localhost")) as server:
        settings = {
            "AUTH_KUBERNETES_URL": server.url,
            "AUTH_KUBERNETES_TOKEN_FILE": own,
            "AUTH_KUBERNETES_CA_FILE": authority.file,
        }
        yield Cluster(server, settings)


@pytest.fixture
def around() -> Iterator[tuple[RedisServer, EmbeddingServer]]:
    with ExitStack() as stack:
        redis, embedding = RedisServer(REDIS_PASSWORD).start(), EmbeddingServer().start()
        stack.callback(redis.kill)
        stack.callback(embedding.kill)
        yield redis, embedding


@pytest.fixture
def heard(
    breakable_url: URL,
    issuer: Issuer,
    cluster: Cluster,
    around: tuple[RedisServer, EmbeddingServer],
    milvus: MilvusServer,
    host_of_services: ProcessHost,
) -> Iterator[Heard]:
    redis, embedding = around
    settings = {
        "AUTH_MODES": "jwt,kubernetes,api_key",
        "AUTH_JWT_ISSUER": issuer.server.url,
        "AUTH_JWT_AUDIENCE": AUDIENCE,
        "AUTH_GRANTS": json.dumps({"jwt:*": {"role": "admin"}, f"kubernetes:{AGENT}": {"role": "reader"}}),
        "CACHE_BACKEND": "redis",
        "RATE_LIMIT_BACKEND": "redis",
        "REDIS_URL": redis.url,
        "EMBEDDING_PROVIDER": "openai",
        "EMBEDDING_URL": embedding.url,
        "EMBEDDING_MODEL": MODEL,
        "EMBEDDING_API_KEY": KEY,
        "EMBEDDING_DIMENSIONS": DIMENSIONS,
        "EMBEDDING_TIMEOUT_S": 1,
        "VECTOR_ENGINE_URL": milvus.url,
        "VECTOR_ENGINE_TOKEN": f"root:{MILVUS_PASSWORD}",
        "VECTOR_ENGINE_TIMEOUT_S": 1,
        "POOL_ACQUIRE_TIMEOUT_S": 1,
        "REQUEST_TIMEOUT_S": 4,
        "LOG_LEVEL": "debug",
        **cluster.settings,
    }
    variables = environment(breakable_url.set(password=PASSWORD), **settings)
    fresh = iter(range(10_000))  # a token that was believed a moment ago is not asked about again

    def agent() -> str:
        token = jwt.encode({"sub": AGENT, "jti": str(next(fresh))}, "x" * 32, "HS256")
        cluster.accounts[token] = AGENT
        return token

    with started(variables, "--port", "0", "--metrics-port", "0", host=host_of_services) as service:
        yield Heard(service.await_start(), issuer.token(), agent)


async def test_nothing_is_told_of_the_inside_whatever_breaks(
    heard: Heard,
    breakable: BreakableServer,
    around: tuple[RedisServer, EmbeddingServer],
    milvus: MilvusServer,
    issuer: Issuer,
    cluster: Cluster,
) -> None:
    redis, embedding = around
    await heard.until(r'"INDEXED"')
    whole = await heard.round()
    assert whole.count('"errors"') == 1, whole  # nobody's

    for manner in (Manner.BROKEN, Manner.DENYING, Manner.NO_JSON, Manner.NULLS, Manner.HANGING):
        embedding.answer(manner)
        await heard.until(r'"PENDING"')
    embedding.kill()
    await heard.round()
    embedding.start()
    embedding.answer(Manner.RIGHTLY)

    await asyncio.to_thread(redis.kill)
    await heard.round()
    await asyncio.to_thread(redis.start)

    await asyncio.to_thread(milvus.kill)
    await heard.until(r'"POSTGRESQL_ONLY"')

    cluster.down = True
    await heard.until(r"503 .*UNAVAILABLE")
    cluster.server.answer = lambda *_: (200, {"status": "<html>"})
    await heard.round()

    issuer.make_key("k2", published=False)
    heard.alice = issuer.token("k2")
    issuer.down = True
    await heard.round()
    issuer.server.answer = lambda *_: (200, ["nothing", None])
    await heard.round()
    issuer.server.answer, heard.alice = issuer._answer, issuer.token("k1")

    await asyncio.to_thread(breakable.freeze)
    await heard.until(r"503 .*not ready")
    await asyncio.to_thread(breakable.thaw)
    await asyncio.to_thread(breakable.kill)
    await heard.until(r"503 .*not ready")
    await asyncio.to_thread(breakable.start)
    await heard.until(r'"CreateRemediationAuditPayload"')

    told = [found[0] for answer in heard.answers + heard.metrics for found in INSIDE.finditer(answer)]
    assert told == []
    said = "\n".join([*heard.answers, *heard.metrics, heard.service.said])
    assert [secret for secret in SECRETS if secret in said] == []
    assert '"internal_error"' not in heard.service.said  # all of this is expected


@pytest.mark.parametrize(
    "leak",
    [
        "asyncpg.exceptions.X",
        'File "a.py", line 3',
        "SELECT 1",
        "/work/main/x",
        "[Errno 111]",
        "127.0.0.1:5432",
    ],
)
def test_what_would_be_a_leak_is_found(leak: str) -> None:
    assert INSIDE.search(f'{{"errors":[{{"message":"it broke: {leak}"}}]}}')
