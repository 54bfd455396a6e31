"""Whatever a client asks or writes, compiled execution does what the reference executor does, byte for byte.

Thousands of documents: `make fuzz`. Each shard has its own databases and its own seed.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import orjson
import pytest
from graphql import build_schema as schema_of
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import text
from sqlalchemy.engine import URL

from datastorage.graphql.schema import build_schema
from datastorage.observability.labels import Executor
from datastorage.services.dependencies import Dependencies
from support.around import ANALYSIS, EXECUTION, WORKFLOW
from support.executors import Executors, both_executors, executed_by, with_some_of_everything
from support.generated_documents import Asked, Known, asked_mutations, asked_queries, told
from support.records import VALID

SCHEMA = schema_of(build_schema().as_str())
SHARDS = int(os.environ.get("DATASTORAGE_FUZZ_SHARDS", "1"))
DOCUMENTS = int(os.environ.get("DATASTORAGE_FUZZ_DOCUMENTS", "400")) // SHARDS
BY_HYPOTHESIS = settings(
    max_examples=DOCUMENTS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],  # what fails is told as it was found: to shrink it takes minutes
)
START = "2026-01-01T12:00:00Z"
CURSOR = re.compile(rb'"A[A-Za-z0-9_-]{19,}"')
NOW = re.compile(rb'"20\d\d-\d\d-\d\dT[0-9:.]+Z"')  # what the database's clock said, in what is written
WRITTEN = (
    "remediation_audit",
    "ai_analysis_audit",
    "workflow_audit",
    "execution_audit",
    "remediation_event",
    "incident_lexical",
)
STAMPS = {"created_at", "updated_at", "recorded_at", "transaction_id"}


@pytest.fixture(scope="module")
def beside(server_url: URL, template: str) -> Iterator[Executors]:
    """Both executors on one database with some of everything."""
    with both_executors(server_url, template) as (opened, _):
        with_some_of_everything(opened)
        yield opened


GLOBAL_IDS = ["UmVtZWRpYXRpb25BdWRpdDox", "UmVtZWRpYXRpb25BdWRpdDoy", "UmVtZWRpYXRpb25BdWRpdDo5OTk=", "bad"]
THERE_IS = Known(
    arguments={
        "requestId": ["rr-1", "rr-2", "none"],
        "analysisId": ["an-1", "none"],
        "workflowId": ["wf-1", "none"],
        "executionId": ["ex-1", "none"],
        "id": GLOBAL_IDS,
        "text": ["memory exhausted in a pod", "nothing of the kind"],
        "target": ["Deployment/payment-api"],
        "after": [None, "bad"],
        "before": [None, "bad"],
        "cap": [None, 3, 0],
    }
)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_any_query_is_answered_alike(beside: Executors, shard: int, record_property: Any) -> None:
    kinds: Counter[str] = Counter()

    @seed(shard)
    @BY_HYPOTHESIS
    @given(asked=asked_queries(SCHEMA, THERE_IS))
    def each(asked: Asked) -> None:
        compiled, reference = beside.both(asked.query, **asked.variables)
        if compiled != reference and not alike(compiled, reference):
            pytest.fail(told(asked, compiled, reference))
        kinds[kind_of(compiled)] += 1

    before = executed_by(Executor.COMPILED)
    each()

    record_property("documents", dict(kinds))
    assert kinds["data"] > kinds.total() / 50
    assert executed_by(Executor.COMPILED) - before > kinds["data"] / 2


def alike(compiled: bytes, reference: bytes) -> bool:
    """Whether they differ only in what the clock said, or in which of several faults was met first.

    Fields that wait for the database race each other, in graphql-core as here: so their errors come in any order; and
    where two fail that may not be null, the first to fail ends the other.
    """
    compiled, reference = (CURSOR.sub(b"CURSOR", NOW.sub(b"NOW", answer)) for answer in (compiled, reference))
    if compiled == reference:
        return True
    one, other = (orjson.loads(answer.partition(b"\n")[2]) for answer in (compiled, reference))
    if one.get("data", "") != other.get("data", ""):
        return False
    if one["data"] is None:
        return bool(faults(one, of_root=False) & faults(other, of_root=False))
    return faults(one, of_root=True) == faults(other, of_root=True)


def faults(answer: dict[str, Any], *, of_root: bool) -> set[tuple[str, str]]:
    """The codes of its errors, each with its root field if that matters."""
    return {
        (error["path"][0] if of_root else "", error["extensions"]["code"])
        for error in answer.get("errors", ())
    }


def kind_of(answer: bytes) -> str:
    """What an answer is, for the figures."""
    if b'"errors":' not in answer:
        return "data"
    return "errors beside data" if b'"data":{' in answer else "errors"


# --- writes: two databases that begin alike, each written by one executor

KEYS = [f"rr-{number}" for number in range(40)]
TO_WRITE = Known(
    arguments={
        "requestId": KEYS,
        "similarTo": KEYS,
        "atomic": [True, False],
    },
    inputs={
        "CreateRemediationAuditInput": VALID,
        "UpsertRemediationAuditInput": VALID,
        "UpdateRemediationAuditInput": {"requestId": "rr-1"},
        "CreateAiAnalysisAuditInput": ANALYSIS,
        "CreateWorkflowAuditInput": WORKFLOW,
        "UpdateWorkflowAuditInput": {"workflowId": "wf-1"},
        "CreateExecutionAuditInput": EXECUTION,
    },
    keys={
        "remediationRequestId": KEYS,
        "requestId": KEYS,
        "analysisId": [f"an-{number}" for number in range(200)],
        "workflowId": [f"wf-{number}" for number in range(60)],
        "executionId": [f"ex-{number}" for number in range(200)],
        "phase": ["PENDING", "PROCESSING", "COMPLETED", "FAILED"],
    },
)


@pytest.fixture
def apart(server_url: URL, template: str) -> Iterator[tuple[Executors, Executors]]:
    with ExitStack() as stack:
        one, other = (stack.enter_context(both_executors(server_url, template))[0] for _ in range(2))
        yield one, other


@pytest.mark.parametrize("shard", range(SHARDS))
def test_any_mutation_has_the_same_effects_once(
    apart: tuple[Executors, Executors], shard: int, record_property: Any
) -> None:
    by_compiled, by_reference = apart
    kinds: Counter[str] = Counter()

    @seed(shard)
    @BY_HYPOTHESIS
    @given(asked=asked_mutations(SCHEMA, TO_WRITE))
    def each(asked: Asked) -> None:
        by_compiled.know(asked.query)
        compiled = by_compiled.ask(by_compiled.compiled, asked.query, **asked.variables)
        reference = by_reference.ask(by_reference.reference, asked.query, **asked.variables)
        if compiled != reference and not alike(compiled, reference):
            pytest.fail(told(asked, compiled, reference))
        kinds[kind_of(compiled)] += 1

    before = executed_by(Executor.COMPILED)
    each()

    record_property("documents", dict(kinds))
    assert executed_by(Executor.COMPILED) - before > kinds.total() / 2
    written, expected = (executors.portal.call(stored, executors.deps) for executors in apart)
    for table in WRITTEN:
        for row, wanted in zip(written[table], expected[table], strict=True):
            assert row == wanted, table
    assert len(written["remediation_audit"]) > 10
    assert len(written["remediation_event"]) > len(written["remediation_audit"])


async def stored(deps: Dependencies) -> dict[str, list[dict[str, Any]]]:
    """All rows of the tables that are written, but for what the clock said."""
    async with deps.database.read() as session:
        rows = {
            table: await session.execute(text(f"SELECT * FROM {table} ORDER BY 1"))  # noqa: S608 -- ours
            for table in WRITTEN
        }
    return {table: [without_stamps(dict(row._mapping)) for row in found] for table, found in rows.items()}


def without_stamps(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in STAMPS}
    return {**kept, "changes": without_stamps(row["changes"])} if row.get("changes") else kept
