"""Whatever a service stands on breaks: no answer, log line or metric tells SQL, a path, a host, a stack or a secret."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from sqlalchemy.engine import URL

from support.access import IdentityServer, identity_server
from support.attacks.checklist import BATCH, LIST
from support.breaking import BreakableServer
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer, Manner
from support.milvus_server import MilvusServer
from support.postgres import administrator
from support.records import remediation_input
from support.redis_server import RedisServer
from support.servers import PASSWORD
from support.service import COMMAND, Service, environment, started

REDIS_PASSWORD, ENGINE_TOKEN = "rotes-geheimnis-1", "root:geheimes-wort-2"
INSIDE = re.compile(
    r"Traceback|File \\?\"|site-packages|\.py\b|SELECT |INSERT INTO|UPDATE |DELETE FROM|\$1|relation \\?\"|"
    r"asyncpg|sqlalchemy|pymilvus|grpc|redis\.|httpx|Errno|Connection refused|[a-z]+://[^\"\s]|/tmp/|/usr/|/root/|/var/",
)
READS = [
    LIST,
    '{ remediationAudit(requestId: "rr-1") { name similar { hits { score } } analyses { nodes { id } } } }',
    '{ node(id: "UmVtZWRpYXRpb25BdWRpdDox") { id } }',
    '{ remediation(requestId: "rr-1") { audit { name } events { nodes { kind } } } }',
    '{ remediationAudits(filter: {text: "memory"}) { totalCount } }',
    "{ remediationStats { count } }",
    "{ facets(fields: [NAMESPACE]) { values { value } } }",
    '{ similarIncidents(text: "#") { mode degradedReason hits { score } } }',
    '{ recommendedActions(text: "#") { actions { actionType } } }',
    '{ actionGuard(actionType: "restart_pod", target: "Deployment/a") { advice } }',
    '{ staleRemediations(olderThan: "2026-01-01T00:00:00Z") { nodes { name } } }',
    "{ systemStatus { version } }",
    "{ accessAudit { nodes { outcome } } }",
]  # fmt: skip
FEEDBACK = 'mutation { recordFeedback(requestId: "rr-1", similarTo: "rr-2", helpful: true) { __typename } }'
UPDATE = """mutation ($input: UpdateRemediationAuditInput!) {
  updateRemediationAudit(input: $input) { __typename ... on UserError { message } } }"""


@dataclass
class Outside:
    """A service, all that it stands on, and all that it has told."""

    service: Service
    postgresql: BreakableServer
    redis: RedisServer
    milvus: MilvusServer
    embedding: EmbeddingServer
    identity: IdentityServer
    key: str
    token: str
    told: str = ""

    async def ask_everything(self) -> None:
        """Keeps what is answered."""
        unique = uuid4().hex
        record = remediation_input(remediationRequestId=unique, errorMessage=f"failed {unique}")
        bodies = [
            *({"query": query.replace("#", unique)} for query in READS),
            {"query": FEEDBACK},
            {"query": BATCH, "variables": {"inputs": [record, record]}},
            {"query": UPDATE, "variables": {"input": {"requestId": "rr-1", "resolution": unique}}},
        ]
        credentials = [{"x-api-key": self.key}, {"authorization": f"Bearer {self.token}"}]
        async with httpx.AsyncClient(base_url=self.service.url, timeout=60) as http:
            answers = await asyncio.gather(
                *(
                    http.post("/graphql", json=body, headers=known)
                    for body in bodies
                    for known in credentials
                ),
                http.post(
                    "/graphql", json=bodies[0], headers={"authorization": f"Bearer {self.token[:-2]}xx"}
                ),
                http.get("/ready"),
                http.get("/health"),
            )
            metrics = await http.get(f"{self.service.metrics_url}/metrics")
        self.told += "\n".join(f"{each.text} {dict(each.headers)}" for each in answers) + metrics.text

    def secrets(self) -> Iterator[str]:
        """Passwords, keys, and where everything is."""
        yield from (
            PASSWORD,
            REDIS_PASSWORD,
            ENGINE_TOKEN,
            ENGINE_TOKEN.partition(":")[2],
            KEY,
            self.key,
            self.token,
        )
        servers = (self.postgresql.server, self.redis, self.milvus, self.embedding)
        yield from (f"127.0.0.1:{server.port}" for server in servers)
        yield self.identity.url


@pytest.fixture
async def outside(breakable: BreakableServer, tmp_path: Path) -> AsyncIterator[Outside]:
    database = await database_of(breakable)
    with ExitStack() as stack:
        redis, milvus, embedding = (
            RedisServer(REDIS_PASSWORD),
            MilvusServer(tmp_path / "milvus"),
            EmbeddingServer(),
        )
        for server in (redis, milvus, embedding):
            stack.callback(server.kill)
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in (redis, milvus, embedding)))
        identity = stack.enter_context(identity_server())
        token = issue(identity)
        variables = environment(
            database, MIGRATE_ON_START="true", LOG_FORMAT="json", LOG_LEVEL="debug",
            CACHE_BACKEND="redis", REDIS_URL=redis.url, RATE_LIMIT_BACKEND="redis",
            VECTOR_ENGINE_URL=milvus.url, VECTOR_ENGINE_TOKEN=ENGINE_TOKEN, VECTOR_ENGINE_TIMEOUT_S=0.5,
            EMBEDDING_PROVIDER="openai", EMBEDDING_MODEL=MODEL, EMBEDDING_URL=embedding.url,
            EMBEDDING_API_KEY=KEY, EMBEDDING_DIMENSIONS=DIMENSIONS, EMBEDDING_TIMEOUT_S=0.5,
            AUTH_MODES="api_key,jwt", AUTH_JWT_ISSUER=identity.url, AUTH_JWT_AUDIENCE="here",
            AUTH_GRANTS='{"jwt:alice": {"role": "admin"}}',
            QUERY_TIMEOUT_S=1, WRITE_TIMEOUT_S=1, REQUEST_TIMEOUT_S=2, POOL_ACQUIRE_TIMEOUT_S=0.5,
        )  # fmt: skip
        service = await asyncio.to_thread(stack.enter_context(started(variables)).await_start)
        key = await asyncio.to_thread(make_key, variables)
        yield Outside(service, breakable, redis, milvus, embedding, identity, key, token)


def make_key(variables: dict[str, str]) -> str:
    """The secret of a new API key."""
    command = [*COMMAND, "keys", "create", "agent", "--role", "admin"]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout.strip()


async def database_of(breakable: BreakableServer) -> URL:
    """An empty database, as it is reached over TCP with a password."""
    name = f"told_{uuid4().hex}"
    async with administrator(breakable.url()) as connection:
        await connection.execute(f'CREATE DATABASE "{name}"')
    return breakable.server.tcp_url(name)


def issue(identity: IdentityServer) -> str:
    """A token of an issuer that publishes its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    published = ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {
        "kid": "k",
        "alg": "ES256",
        "use": "sig",
    }

    def answer(path: str, _headers: dict[str, str], _body: bytes) -> tuple[int, Any]:
        if path.startswith("/.well-known"):
            return 200, {"issuer": identity.url, "jwks_uri": f"{identity.url}/keys"}
        return 200, {"keys": [published]}

    identity.answer = answer
    claims = {"iss": identity.url, "aud": "here", "sub": "alice", "exp": 2_000_000_000}
    return jwt.encode(claims, key, "ES256", headers={"kid": "k"})


def broken_identity(_path: str, _headers: dict[str, str], _body: bytes) -> tuple[int, Any]:
    return 500, {"error": "postgresql://idp:secret@idp.internal/users"}


async def test_no_broken_dependency_makes_a_service_tell_of_its_inside(outside: Outside) -> None:
    breaks: list[Callable[[], Any]] = [
        lambda: None,
        lambda: outside.embedding.answer(Manner.DENYING),
        lambda: outside.embedding.answer(Manner.BROKEN),
        lambda: outside.embedding.answer(Manner.HANGING),
        outside.embedding.kill,
        outside.redis.freeze,
        outside.redis.kill,
        outside.milvus.freeze,
        outside.milvus.kill,
        lambda: setattr(outside.identity, "answer", broken_identity),
        outside.postgresql.freeze,
        outside.postgresql.kill,
    ]

    for break_it in breaks:
        await asyncio.to_thread(break_it)
        await outside.ask_everything()

    logs = outside.service.said
    assert logs.count('"event":"request"') > 300
    assert set(re.findall(r'"code":\s*"(\w+)"', outside.told)) >= {"UNAVAILABLE", "UNAUTHENTICATED"}
    for told in (outside.told, logs):
        assert [secret for secret in outside.secrets() if secret in told] == []
        assert sorted({found[0] for found in INSIDE.finditer(told)}) == []
    assert "internal_error" not in logs
    assert json.loads(logs.splitlines()[-1])
