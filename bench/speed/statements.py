"""The bare statements behind the questions: what the floors send, and PostgreSQL has to do in any case."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = (
    "id",
    "remediation_request_id",
    "name",
    "namespace",
    "phase",
    "status",
    "action_type",
    "start_time",
    "duration_ms",
    "severity",
    "cluster_name",
    "target_resource",
)
INSERTED: Final = (
    "remediation_request_id",
    "name",
    "namespace",
    "phase",
    "status",
    "action_type",
    "action_parameters",
    "start_time",
    "end_time",
    "duration_ms",
    "alert_fingerprint",
    "severity",
    "environment",
    "cluster_name",
    "target_resource",
    "target_kind",
    "target_namespace",
    "target_name",
    "error_message",
    "resolution",
    "metadata",
    "content_hash",
)
_COLUMNS: Final = ", ".join(COLUMNS)

LIST: Final = f"SELECT {_COLUMNS} FROM remediation_audit ORDER BY start_time DESC, id DESC LIMIT $1"
GET: Final = f"SELECT {_COLUMNS} FROM remediation_audit WHERE remediation_request_id = $1"
NESTED: Final = f"""
    SELECT a.*, n.analysis_id, n.confidence_score, n.root_cause
    FROM (
        SELECT {_COLUMNS} FROM remediation_audit WHERE namespace = $1 AND phase = $2
        ORDER BY start_time ASC, id ASC LIMIT 20
    ) a
    LEFT JOIN LATERAL (
        SELECT analysis_id, confidence_score, root_cause FROM ai_analysis_audit
        WHERE remediation_request_id = a.remediation_request_id ORDER BY created_at DESC, id DESC LIMIT 2
    ) n ON true
"""
STATISTICS: Final = """
    SELECT date_trunc('day', start_time, 'UTC') AS time, count(*) AS count,
           count(*) FILTER (WHERE status = 'success') AS success_count,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_duration_ms
    FROM remediation_audit WHERE start_time >= $1 AND start_time < $2 GROUP BY 1 ORDER BY 1
"""
CREATE: Final = (
    f"INSERT INTO remediation_audit ({', '.join(INSERTED)}) "
    f"VALUES ({', '.join(f'${number}' for number in range(1, len(INSERTED) + 1))}) "
    f"RETURNING {_COLUMNS}"
)
