"""The indexes that lists and look-ups lean on: they are in the catalog, and the planner uses them."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.engine import URL

from datastorage.domain.caller import EVERYWHERE
from datastorage.domain.relation import Relation
from datastorage.models import execution_audit, remediation_event
from datastorage.repositories.relations import BELONGINGS
from datastorage.search import term_number
from support.api import Api, opened_api
from support.client import GraphQLClient
from support.lists import listed
from support.plans import explained, sent

NEWEST_FIRST = "start_time DESC, id DESC"
INDEXES = {
    "ix_remediation_audit_start_time": f"btree ({NEWEST_FIRST})",
    "ix_remediation_audit_namespace": f"btree (namespace, {NEWEST_FIRST})",
    "ix_remediation_audit_phase": f"btree (phase, {NEWEST_FIRST})",
    "ix_remediation_audit_status": f"btree (status, {NEWEST_FIRST})",
    "ix_remediation_audit_alert_fingerprint": f"btree (alert_fingerprint, {NEWEST_FIRST})",
    "ix_remediation_audit_target_resource": f"btree (target_resource, {NEWEST_FIRST})",
    "ix_remediation_audit_content_hash": f"btree (content_hash, {NEWEST_FIRST})",
    "ix_remediation_audit_metadata": "gin (metadata jsonb_path_ops)",
    "ix_remediation_audit_lower_remediation_request_id": "btree (lower((remediation_request_id)::text))",
    "ix_remediation_audit_lower_alert_fingerprint": "btree (lower((alert_fingerprint)::text))",
    "uq_remediation_audit_remediation_request_id": "btree (remediation_request_id)",
    "pk_remediation_audit": "btree (id)",
}
KEYS = (
    "remediation_request_id",
    "name",
    "namespace",
    "action_type",
    "alert_fingerprint",
    "environment",
    "cluster_name",
    "target_resource",
)
ROWS = """
INSERT INTO remediation_audit
  (remediation_request_id, name, namespace, phase, status, action_type, start_time, alert_fingerprint, severity,
   environment, cluster_name, target_resource, target_kind, target_name, metadata, content_hash)
SELECT 'rr-' || n, 'name-' || n % 100, 'ns-' || n % 50,
       CASE WHEN n % 100 = 0 THEN 'pending' ELSE 'completed' END,
       CASE WHEN n % 100 = 0 THEN 'failure' ELSE 'success' END,
       'restart_pod', timestamptz '2026-01-01' + n * interval '1 second', 'fp-' || n % 2000, 'low', 'production',
       'cluster-' || n % 5, 'Pod/x', 'Pod', 'x',
       jsonb_build_object('ticket', n, 'team', jsonb_build_object('name', 'team-' || n % 1000)), sha256((n % 500)::text::bytea)
FROM generate_series(1, 200000) n
"""
WORDS = """
INSERT INTO incident_lexical (audit_id, namespace, cluster_name, start_time, terms, weights)
SELECT id, namespace, cluster_name, start_time, ARRAY[1, $1::int + id::int % 1000], '{1:1}/536870912'
FROM remediation_audit
"""
AROUND = """
INSERT INTO ai_analysis_audit
  (analysis_id, remediation_request_id, provider, model, confidence_score, tokens_used, analysis_duration_ms)
SELECT 'an-' || n, 'rr-' || n * 7, 'p', 'm', CASE WHEN n % 100 = 0 THEN 0.2 ELSE 0.9 END, 1, 1
FROM generate_series(1, 2000) n
"""
WORD = "unusual"


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        await opened.sql.execute(ROWS)
        # the word's number is what every thousandth incident has
        await opened.sql.execute(WORDS, term_number(WORD) - 7)
        await opened.sql.execute(AROUND)
        await opened.sql.execute("VACUUM ANALYZE remediation_audit, incident_lexical, ai_analysis_audit")
        yield opened


@pytest.fixture
def client(api: Api) -> GraphQLClient:
    return api.client


def scans(plan: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Every scan of a plan with its index."""
    here = [(plan["Node Type"], plan.get("Index Name"))] if "Scan" in plan["Node Type"] else []
    return here + [scan for child in plan.get("Plans", []) for scan in scans(child)]


async def index_of_a_list(api: Api, **variables: Any) -> str | None:
    """The only index that a list reads; no other scan may be in its plan."""
    with sent() as seen:
        await listed(api.client, **variables)
    ((statement, parameters),) = seen
    ((kind, index),) = scans(await explained(api.sql, statement, parameters))
    assert kind in ("Index Scan", "Index Only Scan")
    return index


async def test_every_index_is_there_and_valid(api: Api) -> None:
    rows = await api.sql.fetch(
        "SELECT c.relname, pg_get_indexdef(c.oid) AS definition, i.indisvalid AS valid FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'remediation_audit'::regclass"
    )

    assert {row["relname"]: row["definition"].partition(" USING ")[2] for row in rows} == INDEXES
    assert all(row["valid"] for row in rows)


async def test_keys_are_unique_and_compare_byte_by_byte(api: Api) -> None:
    collations = await api.sql.fetch(
        "SELECT a.attname, c.collname FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation "
        "WHERE a.attrelid = 'remediation_audit'::regclass AND a.attname = ANY($1)",
        list(KEYS),
    )
    unique = await api.sql.fetchval(
        "SELECT indisunique FROM pg_index WHERE indexrelid = 'uq_remediation_audit_remediation_request_id'::regclass"
    )

    assert {row["attname"]: row["collname"] for row in collations} == dict.fromkeys(KEYS, "C")
    assert unique is True


@pytest.mark.parametrize(
    ("variables", "index"),
    [
        ({}, "start_time"),
        ({"last": 20}, "start_time"),
        ({"first": 100, "orderBy": [{"field": "START_TIME"}]}, "start_time"),
        ({"filter": {"startTime": {"gte": "2026-01-01T05:00:00Z"}}}, "start_time"),
        ({"filter": {"namespace": {"eq": "ns-7"}}}, "namespace"),
        ({"filter": {"namespace": {"eq": "nowhere"}}}, "namespace"),
        ({"filter": {"phase": {"eq": "PENDING"}}}, "phase"),
        ({"filter": {"status": {"eq": "FAILURE"}}}, "status"),
        ({"filter": {"alertFingerprint": {"eq": "fp-7"}}}, "alert_fingerprint"),
        ({"filter": {"namespace": {"eq": "ns-7"}, "startTime": {"lt": "2026-01-01T05:00:00Z"}}}, "namespace"),
    ],
)
async def test_a_list_walks_the_index_of_its_filter(api: Api, variables: dict, index: str) -> None:
    assert await index_of_a_list(api, **variables) == f"ix_remediation_audit_{index}"


@pytest.mark.parametrize("where", [{}, {"phase": {"eq": "COMPLETED"}}, {"namespace": {"eq": "ns-7"}}])
async def test_a_later_page_starts_at_its_cursor_within_the_index(api: Api, where: dict) -> None:
    cursor = (await listed(api.client, filter=where, first=100))["pageInfo"]["endCursor"]

    for place in ({"first": 20, "after": cursor}, {"last": 20, "before": cursor}):
        with sent() as seen:
            await listed(api.client, filter=where, **place)
        plan = (await explained(api.sql, *seen[0]))["Plans"][0]
        assert plan["Node Type"] == "Index Scan"
        assert "ROW(start_time, id)" in plan["Index Cond"]


@pytest.mark.parametrize(
    "where",
    [
        {"phase": {"eq": "COMPLETED"}},
        {"namespace": {"in": ["ns-7", "ns-8"]}},
        {"alertFingerprint": {"in": ["fp-7", "fp-8", "fp-9"]}},
        {"namespace": {"gte": "ns-7", "lt": "ns-8"}},
        {"remediationRequestId": {"in": ["rr-7", "rr-8"]}},
        {"remediationRequestId": {"eq": "rr-7"}},
        {"remediationRequestId": {"startsWith": "RR-77"}},
        {"remediationRequestId": {"gte": "rr-77", "lt": "rr-78"}},
        {"alertFingerprint": {"startsWith": "FP-77"}},
        {"namespace": {"startsWith": "NS-7"}},
        {"metadata": {"contains": {"ticket": 77}}},
        {"metadata": {"path": [{"path": ["team", "name"], "eq": "team-77"}]}},
        {"text": WORD},
        {"analyses": {"some": {"analysisId": {"startsWith": "AN-77"}}}},
        {"analyses": {"some": {"remediationRequestId": {"eq": "rr-77"}}}},
    ],
)
async def test_other_indexed_comparisons_never_read_the_whole_table(api: Api, where: dict) -> None:
    with sent() as seen:
        await listed(api.client, filter=where)

    (statement,) = seen  # whatever the filter
    kinds = {kind for kind, _ in scans(await explained(api.sql, *statement))}
    assert kinds <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan"}


async def test_one_audit_is_found_through_its_key_or_its_id(api: Api, client: GraphQLClient) -> None:
    with sent() as by_key:
        answer = await client.ask('{ remediationAudit(requestId: "rr-7") { id } }')
    with sent() as by_id:
        await client.ask("query($id: ID!) { node(id: $id) { id } }", id=answer.data["remediationAudit"]["id"])

    assert scans(await explained(api.sql, *by_key[0])) == [
        ("Index Scan", "uq_remediation_audit_remediation_request_id")
    ]
    assert scans(await explained(api.sql, *by_id[0])) == [("Index Scan", "pk_remediation_audit")]


async def test_what_belongs_to_a_remediation_is_found_through_indexes(sql: asyncpg.Connection) -> None:
    await sql.execute(
        "INSERT INTO execution_audit (execution_id, workflow_id, remediation_request_id, action_type, "
        "target_resource, target_kind, target_name, success, start_time, execution_time_ms) "
        "SELECT 'ex-' || n, 'wf-' || n % 5000, 'rr-' || n % 5000, 'a', 'Pod/a', 'Pod', 'a', true, now(), 1 "
        "FROM generate_series(1, 20000) n"
    )
    await sql.execute(
        "INSERT INTO workflow_audit (workflow_id, remediation_request_id, phase, total_steps, completed_steps, "
        "start_time) SELECT 'wf-' || n, 'rr-' || n, 'planning', 1, 0, now() FROM generate_series(1, 5000) n"
    )
    await sql.execute("ANALYZE execution_audit, workflow_audit")
    belongs = BELONGINGS[Relation.EXECUTIONS].belongs_to(literal("rr-7"), EVERYWHERE)
    statement = select(execution_audit.c.id).where(belongs)
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})

    plan = "\n".join(row[0] for row in await sql.fetch(f"EXPLAIN {compiled}"))

    assert "Seq Scan" not in plan, plan
    assert "ix_execution_audit_workflow_id" in plan
    assert "ix_execution_audit_remediation_request_id" in plan


async def test_events_of_a_remediation_are_found_through_indexes(sql: asyncpg.Connection) -> None:
    await sql.execute(
        "INSERT INTO execution_audit (execution_id, workflow_id, action_type, target_resource, target_kind, "
        "target_name, success, start_time, execution_time_ms) "
        "SELECT 'ex-' || n, 'wf-' || n % 5000, 'a', 'Pod/a', 'Pod', 'a', true, now(), 1 "
        "FROM generate_series(1, 20000) n"
    )
    await sql.execute(
        "INSERT INTO workflow_audit (workflow_id, remediation_request_id, phase, total_steps, completed_steps, "
        "start_time) SELECT 'wf-' || n, 'rr-' || n, 'planning', 1, 0, now() FROM generate_series(1, 5000) n"
    )
    await sql.execute(
        "INSERT INTO remediation_event (remediation_request_id, subject_kind, subject_key, version, kind, actor) "
        "SELECT NULL, 'execution', 'ex-' || n, 1, 'created', 'a' FROM generate_series(1, 20000) n UNION ALL "
        "SELECT 'rr-' || n, 'workflow', 'wf-' || n, 1, 'created', 'a' FROM generate_series(1, 5000) n"
    )
    await sql.execute("ANALYZE execution_audit, workflow_audit, remediation_event")
    belongs = BELONGINGS[Relation.EVENTS].belongs_to(bindparam("key", "rr-7"), EVERYWHERE)
    statement = select(remediation_event.c.subject_key).where(belongs)
    compiled = statement.compile(dialect=asyncpg_dialect())
    await sql.execute("SET plan_cache_mode = force_generic_plan")  # as after a few executions

    await sql.execute(f"PREPARE asked AS {compiled}")
    plan = "\n".join(row[0] for row in await sql.fetch("EXPLAIN EXECUTE asked('rr-7')"))
    found = await sql.fetch(str(compiled), "rr-7")

    assert "Seq Scan" not in plan, plan
    assert "uq_remediation_event_subject_version" in plan
    assert "ix_remediation_event_remediation_request_id" in plan
    assert sorted(row[0] for row in found) == ["ex-10007", "ex-15007", "ex-5007", "ex-7", "wf-7"]
