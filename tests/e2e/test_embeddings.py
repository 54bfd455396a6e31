"""`datastorage embeddings …` as processes beside a service, on real models: one in a folder, one behind HTTP."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import URL

from datastorage.repositories.vector_indexes import index_name
from support.command_line import CommandLine, Ended
from support.embedding_server import DIMENSIONS, KEY, MODEL, EmbeddingServer, Manner
from support.onnx_models import DIMENSIONS as ONNX_DIMENSIONS
from support.onnx_models import write_model, write_tokenizer
from support.process_host import ProcessHost
from support.records import remediation_input
from support.service import environment, started, variables, wait_until

DEFAULT = "wordllama-l2-supercat-256"
HEADLINES = [
    "disk full",
    "pod killed because it ran out of memory",
    "memory full",
    "disk was out",
    "a pod ran",
]
SEARCH = """
query($text: String!) {
  similarIncidents(text: $text) { mode degradedReason model hits { incident { remediationRequestId } } }
}
"""
CREATE = """
mutation($input: CreateRemediationAuditInput!) {
  createRemediationAudit(input: $input) {
    ... on CreateRemediationAuditPayload { receipt { similarity } }
    ... on UserError { message }
  }
}
"""


@pytest.fixture
def run(commands: CommandLine) -> Callable[..., Ended]:
    """Runs a command to its end."""

    def run(given: dict[str, str], *arguments: object) -> Ended:
        return commands.run(*map(str, arguments), variables=given | {"COLUMNS": "200"})

    return run


@pytest.fixture
def endpoint() -> Iterator[EmbeddingServer]:
    server = EmbeddingServer().start()
    yield server
    server.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model of one's own."""
    folder = tmp_path / "tiny-model"
    folder.mkdir()
    write_model(folder)
    write_tokenizer(folder)
    return folder


def remote(endpoint: EmbeddingServer) -> dict[str, object]:
    """The settings of the endpoint."""
    return {
        "EMBEDDING_PROVIDER": "openai",
        "EMBEDDING_URL": endpoint.url,
        "EMBEDDING_MODEL": MODEL,
        "EMBEDDING_DIMENSIONS": DIMENSIONS,
        "EMBEDDING_API_KEY": KEY,
    }


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Incidents with texts of their own."""
    file = tmp_path / "records.jsonl"
    rows = [
        remediation_input(remediationRequestId=f"rr-{number}", metadata={"summary": text})
        for number, text in enumerate(HEADLINES)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def status(run: Callable[..., Ended], given: dict[str, str]) -> dict[str, Any]:
    ended = run(given, "embeddings", "status", "--json")
    assert ended.code == 0, ended.said
    return json.loads(ended.out)


async def test_backfill_embeds_what_was_stored_while_the_provider_was_down(
    run: Callable[..., Ended], own_database: URL, endpoint: EmbeddingServer, records: Path
) -> None:
    given = variables(own_database, **remote(endpoint))
    endpoint.kill()
    assert run(given, "import", records).out.startswith("stored 5,")
    before = status(run, given)
    in_vain = run(given, "embeddings", "backfill")

    endpoint.start()
    endpoint.answer(Manner.RIGHTLY)
    done = run(given, "embeddings", "backfill")
    after = status(run, given)

    assert (before["texts"], before["textsWithVector"], before["waiting"], before["models"]) == (5, 0, 5, [])
    assert (in_vain.code, in_vain.out) == (1, "5 texts still wait, 0 are refused by the provider\n")
    assert (done.code, done.out) == (0, "every text has its vector\n")
    assert "5/5" in done.err
    assert (after["textsWithVector"], after["waiting"]) == (5, 0)
    assert after["models"] == [
        {"model": f"openai:{MODEL}@{DIMENSIONS}", "vectors": 5, "dimensions": [DIMENSIONS], "index": None}
    ]


async def test_a_text_that_is_refused_is_shown_with_its_incident_and_tried_again_when_asked_for(
    run: Callable[..., Ended], own_database: URL, endpoint: EmbeddingServer, tmp_path: Path
) -> None:
    given = variables(own_database, **remote(endpoint))
    file = tmp_path / "long.jsonl"
    file.write_text(json.dumps(remediation_input(metadata={"summary": "long " * 100})))
    endpoint.answer(Manner.PICKY)
    assert run(given, "import", file).out.startswith("stored 1,")

    refused = run(given, "embeddings", "backfill")
    shown = run(given, "embeddings", "status")
    endpoint.answer(Manner.RIGHTLY)
    again = run(given, "embeddings", "backfill")
    asked_for = run(given, "embeddings", "backfill", "--parked")

    assert (refused.code, refused.out) == (1, "0 texts still wait, 1 are refused by the provider\n")
    assert "parked 1, which the provider refused: rr-1: the endpoint answered 413" in shown.said
    assert KEY not in shown.said
    assert (again.code, asked_for.code) == (1, 0)


async def test_a_service_killed_in_the_middle_of_a_backfill_loses_nothing(
    run: Callable[..., Ended],
    own_database: URL,
    endpoint: EmbeddingServer,
    records: Path,
    sql_own: asyncpg.Connection,
    host_of_services: ProcessHost,
) -> None:
    given = variables(own_database, **remote(endpoint))
    endpoint.kill()
    run(given, "import", records)
    endpoint.start()
    endpoint.answer(Manner.HANGING)
    with started(
        environment(own_database, **remote(endpoint), EMBEDDING_TIMEOUT_S=60), host=host_of_services
    ) as first:
        first.await_start()
        wait_until(lambda: len(endpoint.asked()) > 0)
        first.kill()
    leased = await sql_own.fetchval("SELECT count(*) FROM outbox WHERE leased_until > now()")

    endpoint.answer(Manner.RIGHTLY)
    await sql_own.execute("UPDATE outbox SET leased_until = now()")  # as if time had passed
    with started(environment(own_database, **remote(endpoint)), host=host_of_services) as second:
        second.await_start()
        wait_until(lambda: second.sample("datastorage_embedding_backfilled_total") == 5)
        wait_until(lambda: second.sample("datastorage_embedding_backlog") == 0)

    assert leased == 5
    assert status(run, given)["textsWithVector"] == 5


async def test_another_model_is_embedded_beside_the_old_one_indexed_and_switched_to(
    run: Callable[..., Ended],
    own_database: URL,
    records: Path,
    folder: Path,
    sql_own: asyncpg.Connection,
    host_of_services: ProcessHost,
) -> None:
    old = variables(own_database)
    tiny = "onnx:tiny-model"
    new = {"EMBEDDING_PROVIDER": "onnx", "EMBEDDING_MODEL": str(folder)}
    run(old, "import", records)

    with started(environment(own_database), host=host_of_services) as service:
        service.await_start()
        # when
        done = run(old, "embeddings", "reembed", "--provider", "onnx", "--model", folder)
        again = run(old, "embeddings", "reembed", "--provider", "onnx", "--model", folder)
        # then the service goes on with its own model
        found = service.ask(SEARCH, text="disk full")["data"]["similarIncidents"]
        assert (found["model"], found["hits"][0]["incident"]["remediationRequestId"]) == (DEFAULT, "rr-0")
        late = remediation_input(remediationRequestId="rr-late", metadata={"summary": "out of memory"})
        service.ask(CREATE, input=late)

    assert done.code == 0, done.said
    assert "model onnx:tiny-model index built recall 1.000 of the ten nearest ready;" in " ".join(
        done.out.split()
    )
    assert f"DATASTORAGE_EMBEDDING_PROVIDER=onnx DATASTORAGE_EMBEDDING_MODEL={folder}" in done.said
    assert "5/5" in done.err
    assert "index was there" in again.said
    assert await sql_own.fetch("SELECT model, count(*) FROM incident_embedding GROUP BY 1 ORDER BY 1") == [
        (tiny, 5),
        (DEFAULT, 6),
    ]

    with started(environment(own_database, **new), host=host_of_services) as service:
        service.await_start()
        wait_until(lambda: service.sample("datastorage_embedding_backfilled_total") == 1)  # the late one
        found = service.ask(SEARCH, text="memory full")["data"]["similarIncidents"]
        refused = run(variables(own_database, **new), "embeddings", "drop", "--model", tiny, "--yes")
        unasked = run(variables(own_database, **new), "embeddings", "drop", "--model", DEFAULT)
        unknown = run(variables(own_database, **new), "embeddings", "drop", "--model", "nope")
        dropped = run(variables(own_database, **new), "embeddings", "drop", "--model", DEFAULT, "--yes")
        still = service.ask(SEARCH, text="memory full")["data"]["similarIncidents"]
    verified = run(variables(own_database, **new), "embeddings", "verify")
    doctor = run(variables(own_database, **new), "doctor")

    assert (found["model"], found["degradedReason"], found["mode"]) == (tiny, None, "HYBRID")
    assert found["hits"][0]["incident"]["remediationRequestId"] == "rr-2"
    assert still == found
    assert (refused.code, "is the configured model" in refused.err) == (1, True)
    assert (unasked.code, "nobody is there to be asked; --yes drops" in unasked.err) == (2, True)
    assert (unknown.code, "no vectors of 'nope' are stored" in unknown.err) == (1, True)
    assert (dropped.code, dropped.out.splitlines()[-1]) == (0, "dropped 6 vectors")
    assert await sql_own.fetch("SELECT model, count(*) FROM incident_embedding GROUP BY 1") == [(tiny, 6)]
    assert verified.code == 0, verified.said
    assert index_name(tiny) in doctor.said


async def test_verify_tells_vectors_that_were_altered_by_hand(
    run: Callable[..., Ended], own_database: URL, records: Path, sql_own: asyncpg.Connection
) -> None:
    given = variables(own_database)
    run(given, "import", records)
    sound = run(given, "embeddings", "verify")
    turned, longer = (
        row[0]
        for row in await sql_own.fetch("SELECT content_hash FROM incident_embedding ORDER BY 1 LIMIT 2")
    )
    await sql_own.execute(
        "UPDATE incident_embedding SET vector = l2_normalize(array_fill(1, ARRAY[256])::halfvec) "
        "WHERE content_hash = $1",
        turned,
    )
    one_turned = run(given, "embeddings", "verify")
    await sql_own.execute(
        "UPDATE incident_embedding SET vector = vector + vector WHERE content_hash = $1", longer
    )
    also_longer = run(given, "embeddings", "verify")

    assert (sound.code, "✗" in sound.out) == (0, False), sound.said
    assert one_turned.code == 1
    assert "1 of 5 are not what the model gives" in one_turned.said
    assert turned.hex()[:20] in one_turned.said
    assert also_longer.code == 1
    assert "1 of 5 vectors are not of length 1" in also_longer.said


async def test_what_a_broken_build_left_of_an_index_is_replaced(
    run: Callable[..., Ended], own_database: URL, records: Path, folder: Path, sql_own: asyncpg.Connection
) -> None:
    given = variables(own_database, EMBEDDING_PROVIDER="onnx", EMBEDDING_MODEL=str(folder))
    run(given, "import", records)
    warned = run(given, "doctor")
    name = index_name("onnx:tiny-model")
    await sql_own.execute(
        f"CREATE INDEX {name} ON incident_embedding "
        f"USING hnsw ((vector::halfvec({ONNX_DIMENSIONS})) halfvec_cosine_ops) WHERE model = 'onnx:tiny-model'"
    )
    await sql_own.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass", name
    )
    invalid = run(given, "embeddings", "verify")

    done = run(given, "embeddings", "reembed")

    assert warned.code == 0
    assert "run: datastorage embeddings reembed" in warned.said
    assert (invalid.code, f"{name} is not valid" in invalid.said) == (1, True)
    assert (done.code, "index built" in done.said) == (0, True), done.said
    assert await sql_own.fetchval(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = $1::text::regclass", name
    )
    assert run(given, "migrate", "--check").code == 0


def test_each_model_has_an_index_name_of_its_own_that_postgresql_does_not_cut() -> None:
    models = ["openai:a@8", "openai:a_8", "openai:" + "x" * 100, "openai:" + "x" * 101, "onnx:Modèle"]

    names = {index_name(model) for model in models}

    assert len(names) == len(models)
    assert all(len(name.encode()) <= 63 for name in names)
