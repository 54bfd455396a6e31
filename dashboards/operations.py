"""The operations board: how the service itself does, from its metrics."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from panels import GREEN, ORANGE, PROMETHEUS, RED, chosen, figure, lines, promql

UID: Final = "datastorage-operations"
TITLE: Final = "Data Storage Service: operations"
ABOUT: Final = "Writes, queries, embedding, outbox and database, as the metrics of the service tell them."


def variables() -> list[DatasourceVariable | QueryVariable]:
    """What the board is about; a Prometheus outside of Kubernetes knows no namespaces, and all of them means none."""
    return [
        DatasourceVariable("datasource").label("Prometheus").type("prometheus"),
        _choice("namespace", "Namespace", "label_values(datastorage_build_info, namespace)"),
        _choice(
            "instance", "Instance", 'label_values(datastorage_build_info{namespace=~"$namespace"}, instance)'
        ),
    ]


def _choice(name: str, label: str, query: str) -> QueryVariable:
    asked: dict[str, object] = {"query": query, "refId": f"variable-{name}"}
    return chosen(QueryVariable(name).label(label).datasource(PROMETHEUS).query(asked)).all_value(".*")


def _quantile(quantile: float, metric: str, by: str = "le", where: str = "") -> str:
    selected = f"datastorage_{metric}_bucket{{$on{where}}}[$__rate_interval]"
    return f"histogram_quantile({quantile}, sum by ({by}) (rate({selected})))"


def _rate(metric: str, by: str = "", where: str = "") -> str:
    return f"sum{f' by ({by}) ' if by else ''}(rate(datastorage_{metric}{{$on{where}}}[$__rate_interval]))"


def _failed(metric: str) -> str:
    return f"""{_rate(metric, where=',status="failure"')} / {_rate(metric)}"""


SEARCH: Final = ',operation="semantic_search"'
REFUSED: Final = ',reason="validation_failure"'

ROWS: Final = {
    "At a glance": [
        figure("Alerts firing", "Of this service.", "none",
               promql('count(ALERTS{alertname=~"DataStorage.+",alertstate="firing"}) or vector(0)', at_once=True),
               (1, RED)),
        figure("Database", "1 while every instance gets answers from PostgreSQL.", "none",
               promql("min(datastorage_database_up{$on})", at_once=True), (None, RED), (1, GREEN)),
        figure("PostgreSQL-only mode", "1 while the vector engine is out of use on an instance.", "none",
               promql("max(datastorage_fallback_mode_active{$on})", at_once=True), (1, ORANGE)),
        figure("Instances", "That are scraped.", "none", promql("count(datastorage_build_info{$on})", at_once=True)),
        figure("Requests in flight", "HTTP requests being served.", "none",
               promql("sum(datastorage_requests_in_flight{$on})", at_once=True)),
        figure("Writes that fail", "For a reason of the service's own.", "percentunit",
               promql(_failed("write_total"), at_once=True), (0.01, ORANGE), (0.05, RED)),
        figure("Queries that fail", "For a reason of the service's own.", "percentunit",
               promql(_failed("query_total"), at_once=True), (0.01, ORANGE), (0.05, RED)),
        figure("Versions", "How many run; more than one during a rollout.", "none",
               promql("count(count by (version) (datastorage_build_info{$on}))", at_once=True), (2, ORANGE)),
    ],
    "Writes": [
        lines("Write rate", "Records stored or changed, by table.", "wps",
              promql(_rate("write_total", "table", ',status="success"'), "{{table}}"), stacked=True),
        lines("Write latency", "From the request to the acknowledgement, all tables.", "s",
              promql(_quantile(0.95, "write_duration_seconds"), "p95"),
              promql(_quantile(0.99, "write_duration_seconds"), "p99")),
        lines("Write error rate", "Failed of all; the service's fault only. The alert begins at 5 %.", "percentunit",
              promql(_failed("write_total"), "failed"), limit=0.05),
        lines("Dual write: success against failure", "Units of work committed whole, and those that were not, by reason.", "ops",
              promql(_rate("dualwrite_success_total"), "success"),
              promql(_rate("dualwrite_failure_total", "reason"), "{{reason}}")),
        lines("Validation failures by field", "Refused fields of inputs.", "ops",
              promql(_rate("validation_failures_total", "field"), "{{field}}"), stacked=True),
        lines("Validation failure rate", "Units of work refused for their input, of all.", "percentunit",
              promql(f"{_rate('dualwrite_failure_total', where=REFUSED)}"
                     f" / ({_rate('dualwrite_success_total')} + {_rate('dualwrite_failure_total')})", "refused")),
        lines("Refused for other reasons", "Conflicts, missing records, impossible moves, denials.", "ops",
              promql(_rate("rejected_total", "code"), "{{code}}"), stacked=True),
        lines("Changes of free text", "Secrets redacted, white space and control characters removed, HTML encoded.", "ops",
              promql(_rate("sanitization_total", "operation"), "{{operation}}")),
        lines("Write p95 by table", "To find which kind of record is slow.", "s",
              promql(_quantile(0.95, "write_duration_seconds", "table, le"), "{{table}}")),
    ],
    "Queries": [
        lines("Query rate", "Root fields, by kind.", "reqps",
              promql(_rate("query_total", "operation"), "{{operation}}"), stacked=True),
        lines("Query p95 by operation", "Time of a root field.", "s",
              promql(_quantile(0.95, "query_duration_seconds", "operation, le"), "{{operation}}")),
        lines("Query error rate", "Failed of all; the service's fault only. The alert begins at 5 %.", "percentunit",
              promql(_failed("query_total"), "failed"), limit=0.05),
        lines("Semantic search latency", "Similar incidents and recommended actions. The alert begins at 100 ms.", "s",
              *(promql(_quantile(q, "query_duration_seconds", where=SEARCH), f"p{q * 100:.0f}") for q in (0.5, 0.95, 0.99)),
              limit=0.1),
        lines("Executors", "Who answered: generated functions, or the reference executor.", "ops",
              promql(_rate("execution_total", "executor"), "{{executor}}"), stacked=True),
        lines("Requests in flight", "By instance.", "none",
              promql("sum by (instance) (datastorage_requests_in_flight{$on})", "{{instance}}")),
    ],
    "Embedding and its cache": [
        lines("Cache hit rate", "Texts whose vector was known, of all asked for. The alert begins below 50 %.", "percentunit",
              promql(f"{_rate('cache_hits_total')} / ({_rate('cache_hits_total')} + {_rate('cache_misses_total')})", "hits"),
              maximum=1),
        lines("Embedding latency", "Of one text, by the provider.", "s",
              promql(_quantile(0.95, "embedding_generation_duration_seconds"), "p95"),
              promql(_quantile(0.99, "embedding_generation_duration_seconds"), "p99")),
        lines("Calls of the provider", "By outcome.", "ops",
              promql(_rate("embedding_requests_total", "outcome"), "{{outcome}}"), stacked=True),
        lines("Texts without a vector", "Waiting, and refused for good by the provider. The alert begins at 100.", "none",
              promql("max(datastorage_embedding_backlog{$on})", "waiting"),
              promql("max(datastorage_embedding_parked{$on})", "refused")),
        lines("Vectors stored later", "Found by the worker after the record was stored, and tries in vain.", "ops",
              promql(_rate("embedding_backfilled_total"), "stored"),
              promql(_rate("embedding_backfill_failures_total"), "in vain")),
        lines("Cache faults", "Calls of the shared cache that failed, and were done without.", "ops",
              promql(_rate("cache_faults_total"), "faults")),
    ],
    "Vector engine and outbox": [
        lines("PostgreSQL-only mode", "1 while the vector engine is out of use, and what PostgreSQL did in its stead.", "none",
              promql("max by (instance) (datastorage_fallback_mode_active{$on})", "{{instance}}"),
              promql(_rate("fallback_mode_total"), "operations a second")),
        lines("Outbox", "Entries that wait, by what for.", "none",
              promql("max by (kind) (datastorage_outbox_depth{$on})", "{{kind}}")),
        lines("Oldest entry of the outbox", "The alert begins at 5 minutes.", "s",
              promql("max by (kind) (datastorage_outbox_oldest_age_seconds{$on})", "{{kind}}"), limit=300),
        lines("Circuit breakers that are not closed", "1 while an instance leaves a dependency alone, or tries it.", "none",
              promql('max by (name, state) (datastorage_circuit_breaker_state{$on,state!="closed"})', "{{name}} {{state}}")),
    ],
    "Database and access": [
        lines("Pool use", "Of the fullest instance, by what the connections are for. The alert begins at 80 %.", "percentunit",
              promql("max by (pool) (datastorage_pool_in_use{$on} / datastorage_pool_size{$on})", "{{pool}}"),
              maximum=1, limit=0.8),
        lines("Waiting for a connection", "Requests and workers.", "none",
              promql("sum by (pool) (datastorage_pool_waiting{$on})", "{{pool}}")),
        lines("Database", "1 while an instance gets answers.", "none",
              promql("min by (instance) (datastorage_database_up{$on})", "{{instance}}")),
        lines("Not let in", "Requests without a credential, with a wrong one, or whose credential could not be checked.", "reqps",
              promql(_rate("authentication_failures_total", "reason"), "{{reason}}"), stacked=True),
        lines("Held back", "Requests that met a limit, by which, and those that a process charged without Redis.", "reqps",
              promql(_rate("throttled_total", "limit"), "{{limit}}"),
              promql(_rate("rate_limit_fallback_total"), "charged without Redis")),
        lines("Connections cut off", "Of clients that are slow, or too many.", "cps",
              promql(_rate("connections_cut_off_total", "reason"), "{{reason}}"), stacked=True),
        lines("Documents by name", "Requests that name their document instead of sending it, by outcome.", "reqps",
              promql(_rate("document_lookups_total", "outcome"), "{{outcome}}"), stacked=True),
        lines("Access audit", "Entries that were dropped. The alert begins with the first.", "none",
              promql("sum(increase(datastorage_access_audit_dropped_total{$on}[$__rate_interval]))", "dropped")),
    ],
}  # fmt: skip
