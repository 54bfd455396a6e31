"""Lists, gets and figures."""

from __future__ import annotations

from typing import Final

from bench.speed import statements
from bench.speed.names import FLOOR, PGBENCH, POSTGRAPHILE, SERVICE, STRAWBERRY
from bench.speed.questions.question import POSTGRAPHILES_TWELVE, TWELVE, Ask, Question, bare, floor

LIST: Final = Question(
    "list",
    "the newest 20, 12 fields each",
    lambda _: [{"first": 20}],
    {
        SERVICE: Ask(
            f"query List($first: Int!) {{ remediationAudits(first: $first) {{ nodes {{ {TWELVE} }} }} }}"
        ),
        POSTGRAPHILE: Ask(
            f"""query List($first: Int!) {{
              remediationAudits: allRemediationAudits(first: $first, orderBy: START_TIME_DESC) {{
                nodes {{ {POSTGRAPHILES_TWELVE} }} }} }}"""
        ),
        STRAWBERRY: Ask(
            f"query List($first: Int!) {{ remediationAudits(first: $first) {{ nodes {{ {TWELVE} }} }} }}"
        ),
        FLOOR: floor("/list"),
        PGBENCH: Ask(script=statements.LIST.replace("$1", "20")),
    },
)

GET: Final = Question(
    "get",
    "one by its key, 12 fields",
    lambda sample: [{"requestId": key} for key in sample.request_ids],
    {
        SERVICE: Ask(
            f"query Get($requestId: String!) {{ remediationAudit(requestId: $requestId) {{ {TWELVE} }} }}"
        ),
        POSTGRAPHILE: Ask(
            f"""query Get($requestId: String!) {{
              remediationAudit: remediationAuditByRemediationRequestId(remediationRequestId: $requestId) {{
                {POSTGRAPHILES_TWELVE} }} }}"""
        ),
        STRAWBERRY: Ask(
            f"query Get($requestId: String!) {{ remediationAudit(requestId: $requestId) {{ {TWELVE} }} }}"
        ),
        FLOOR: floor("/get"),
        PGBENCH: Ask(
            script="\\set n random(0, :rows - 1)\n"
            + statements.GET.replace("$1", "'bench-' || lpad(:n::text, 8, '0')")
        ),
    },
)

ANALYSES: Final = "nodes { analysisId confidenceScore rootCause }"
NESTED: Final = Question(
    "nested",
    "the oldest 20 of a namespace and phase, with the 2 newest analyses of each",
    lambda sample: sample.places,
    {
        SERVICE: Ask(
            f"""query Nested($namespace: String!, $phase: Phase!) {{
              remediationAudits(first: 20, filter: {{namespace: {{eq: $namespace}}, phase: {{eq: $phase}}}},
                                orderBy: [{{field: START_TIME, direction: ASC}}]) {{
                nodes {{ {TWELVE} analyses(first: 2) {{ {ANALYSES} }} }} }} }}"""
        ),
        POSTGRAPHILE: Ask(
            f"""query Nested($namespace: String!, $phase: String!) {{
              remediationAudits: allRemediationAudits(first: 20, orderBy: START_TIME_ASC,
                                                      condition: {{namespace: $namespace, phase: $phase}}) {{
                nodes {{ {POSTGRAPHILES_TWELVE} analyses(first: 2, orderBy: CREATED_AT_DESC) {{ {ANALYSES} }} }} }} }}""",
            given=lambda variables: {**variables, "phase": variables["phase"].lower()},
        ),
        STRAWBERRY: Ask(
            f"""query Nested($namespace: String!, $phase: Phase!) {{
              remediationAudits(first: 20, namespace: $namespace, phase: $phase, oldestFirst: true) {{
                nodes {{ {TWELVE} analyses(first: 2) {{ {ANALYSES} }} }} }} }}"""
        ),
        FLOOR: floor("/nested"),
        PGBENCH: bare(statements.NESTED, namespace="'payments'", phase="'completed'"),
    },
)

STATISTICS: Final = Question(
    "statistics",
    "count, successes and p95 of 30 days, by day",
    lambda sample: sample.months,
    {
        SERVICE: Ask(
            """query Statistics($from: DateTime!, $to: DateTime!) {
              remediationStats(bucket: DAY, from: $from, to: $to) { time count successCount p95DurationMs } }"""
        ),
        FLOOR: floor("/statistics"),
        PGBENCH: Ask(
            script="\\set n random(0, 300)\n"
            + statements.STATISTICS.replace("$1", "timestamptz '2026-10-01' - :n * interval '1 day'").replace(
                "$2", "timestamptz '2026-10-31' - :n * interval '1 day'"
            )
        ),
    },
    marker='"successCount":',
)

FILTER: Final = Question(
    "filter",
    "the newest 20 of a namespace and phase, 12 fields each",
    lambda sample: sample.places,
    {
        SERVICE: Ask(
            f"""query Filter($namespace: String!, $phase: Phase!) {{
              remediationAudits(first: 20, filter: {{namespace: {{eq: $namespace}}, phase: {{eq: $phase}}}}) {{
                nodes {{ {TWELVE} }} }} }}"""
        )
    },
)

COUNT: Final = Question(
    "count",
    "how many a namespace has, counted to 10,000",
    lambda sample: sample.places,
    {
        SERVICE: Ask(
            """query Count($namespace: String!) {
              remediationAudits(filter: {namespace: {eq: $namespace}}) { totalCount(cap: 10000) } }""",
            given=lambda variables: {"namespace": variables["namespace"]},
        )
    },
    marker='"totalCount":',
)
