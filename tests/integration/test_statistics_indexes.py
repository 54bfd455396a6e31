"""Statistics of a part of the rows read that part through an index, and recurrence looks rows up through one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import URL

from support.api import Api, opened_api
from support.plans import explained, scans, sent

ROWS = """
INSERT INTO remediation_audit
  (remediation_request_id, name, namespace, phase, status, action_type, start_time, end_time, duration_ms,
   alert_fingerprint, severity, environment, cluster_name, target_resource, target_kind, target_name, content_hash)
SELECT 'rr-' || n, 'name-' || n % 100, 'ns-' || n % 50,
       CASE WHEN n % 100 = 0 THEN 'pending' ELSE 'completed' END,
       CASE WHEN n % 100 = 0 THEN 'failure' ELSE 'success' END,
       'restart_pod', timestamptz '2026-01-01' + n * interval '1 minute',
       timestamptz '2026-01-01' + (n + 1) * interval '1 minute', 60000, 'fp-' || n % 2000, 'low', 'production',
       'cluster-' || n % 5, 'Pod/x', 'Pod', 'x', sha256((n % 500)::text::bytea)
FROM generate_series(1, 20000) n
"""
INDEX_READS = {"Index Scan", "Index Only Scan", "Bitmap Index Scan", "Bitmap Heap Scan"}
NAMESPACE = 'filter: { namespace: { eq: "ns-7" } }'
RANGE = 'from: "2026-01-02T00:00:00Z", to: "2026-01-02T06:00:00Z"'
BY_ALERT = "ix_remediation_audit_alert_fingerprint"
BY_NAMESPACE = "ix_remediation_audit_namespace"
BY_START = "ix_remediation_audit_start_time"


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as opened:
        await opened.sql.execute(ROWS)
        await opened.sql.execute("ANALYZE remediation_audit")
        yield opened


async def plan(api: Api, field: str) -> dict[str, Any]:
    """The plan of a field's only statement."""
    with sent() as seen:
        answer = await api.client.ask(f"{{ {field} }}")
    assert answer.data
    ((statement, parameters),) = seen
    return await explained(api.sql, statement, parameters)


@pytest.mark.parametrize(
    ("field", "index"),
    [
        (f"remediationStats({NAMESPACE}) {{ count p95DurationMs }}", BY_NAMESPACE),
        (f"remediationStats({RANGE}) {{ count p95DurationMs }}", BY_START),
        (f"remediationStats({RANGE}, bucket: HOUR, groupBy: [SEVERITY]) {{ count }}", BY_START),
        (f"timeSeries(metric: COUNT, bucket: HOUR, {RANGE}) {{ value }}", BY_START),
        (f"timeSeries(metric: COUNT, bucket: HOUR, {RANGE}, fillGaps: true) {{ value }}", BY_START),
        (f"timeSeries(metric: P99_DURATION_MS, bucket: DAY, {NAMESPACE}) {{ value }}", BY_NAMESPACE),
        (f"facets(fields: [SEVERITY, NAME], {NAMESPACE}) {{ distinctCount }}", BY_NAMESPACE),
        ('staleRemediations(olderThan: "2026-01-03T00:00:00Z") { nodes { name } }', None),
    ],
)
async def test_a_part_of_the_rows_is_read_through_an_index(api: Api, field: str, index: str | None) -> None:
    found = scans(await plan(api, field))

    assert {kind for kind, _ in found} <= INDEX_READS, found
    assert index is None or index in {name for _, name in found}


@pytest.mark.parametrize(
    ("field", "index"),
    [
        (f"remediationStats({NAMESPACE}) {{ recurredCount }}", BY_NAMESPACE),
        (f"remediationStats({RANGE}) {{ recurrenceRate }}", BY_START),
        (f"timeSeries(metric: RECURRENCE_RATE, bucket: HOUR, {RANGE}) {{ value }}", BY_START),
    ],
)
async def test_recurrence_looks_rows_up_by_their_alert(api: Api, field: str, index: str) -> None:
    found = scans(await plan(api, field))

    assert {kind for kind, _ in found} <= INDEX_READS, found
    assert {index, BY_ALERT} <= {name for _, name in found}


async def test_recurrence_of_all_rows_looks_each_up_by_its_alert(api: Api) -> None:
    found = scans(await plan(api, "remediationStats { recurredCount }"))

    assert [kind for kind, _ in found].count("Seq Scan") <= 1, found
    assert BY_ALERT in {name for _, name in found}
