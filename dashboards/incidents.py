"""The incidents board: what was remediated and how it went, asked of the service's own API through Infinity."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import CustomVariable, DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption
from panels import INFINITY, TIMES, GraphQL, bars, chosen, figure, infinity, lines, rows

UID: Final = "datastorage-incidents"
TITLE: Final = "Data Storage Service: incidents"
ABOUT: Final = "What was remediated, what helped and what came back, asked of the GraphQL API."

FILTER: Final = "clusterName: {in: ${cluster:json}}, namespace: {in: ${namespace:json}}"
SPAN: Final = 'from: "${__from:date:iso}", to: "${__to:date:iso}"'
STARTED: Final = 'startTime: {gte: "${__from:date:iso}", lt: "${__to:date:iso}"}'


def variables() -> list[Any]:
    """What the board is about; choices are the values that occur."""
    return [
        DatasourceVariable("datasource").label("API").type("yesoreyeram-infinity-datasource"),
        _choice("cluster", "Cluster", "CLUSTER_NAME"),
        _choice("namespace", "Namespace", "NAMESPACE"),
        CustomVariable("bucket")
        .label("One point each")
        .values("DAY,HOUR,WEEK,MONTH")
        .current(VariableOption(selected=True, text="DAY", value="DAY")),
    ]


def _choice(name: str, label: str, field: str) -> QueryVariable:
    document = f"{{ facets(fields: [{field}], first: 100) {{ values {{ value }} }} }}"
    asked: dict[str, object] = {
        "queryType": "infinity",
        "query": "",
        "infinityQuery": {
            "refId": f"variable-{name}",
            "format": "table",
            **infinity(document, "data.facets.0.values", [{"selector": "value"}]),
        },
    }
    return chosen(QueryVariable(name).label(label).datasource(INFINITY).query(asked))


def _series(metric: str, group: str = "") -> GraphQL:
    grouped = f", groupBy: [{group}]" if group else ""
    return GraphQL(
        f"{{ timeSeries(metric: {metric}{grouped}, bucket: ${{bucket}}, fillGaps: true, {SPAN}, filter: {{{FILTER}}})"
        " { time series value } }",
        "data.timeSeries",
        TIMES,
        over_time=True,
    )


def _figures(*fields: str) -> GraphQL:
    document = f"{{ remediationStats({SPAN}, filter: {{{FILTER}}}) {{ {' '.join(fields)} }} }}"
    return GraphQL(document, "data.remediationStats", [_number(field) for field in fields])


def _by(group: str, *fields: str) -> GraphQL:
    document = f"""{{ remediationStats(groupBy: [{group}], {SPAN}, filter: {{{FILTER}}}) {{
      keys {{ value }} {" ".join(fields)} }} }}"""
    columns = [{"selector": "keys.0.value", "text": group.lower()}, *(_number(field) for field in fields)]
    return GraphQL(document, "data.remediationStats", columns)


def _list(field: str, arguments: str, *fields: str) -> GraphQL:
    document = f"{{ {field}({arguments}) {{ nodes {{ {' '.join(fields)} }} }} }}"
    return GraphQL(document, f"data.{field}.nodes", [{"selector": name} for name in fields])


def _number(field: str) -> dict[str, str]:
    return {"selector": field, "type": "number"}


OF_EACH: Final = ("count", "successRate", "p95DurationMs", "recurrenceRate")

ROWS: Final = {
    "At a glance": [
        figure("Remediations", "That started in this span.", "none", _figures("count")),
        figure("Succeeded", "Of those that ended.", "percentunit", _figures("successRate")),
        figure("Came back", "The same alert on the same target within 24 hours of the end.", "percentunit",
               _figures("recurrenceRate")),
        figure("Half took up to", "From start to end.", "ms", _figures("p50DurationMs")),
        figure("95 % took up to", "From start to end.", "ms", _figures("p95DurationMs")),
    ],
    "Over time": [
        lines("Remediations by status", "By when they started.", "none", _series("COUNT", "STATUS"), stacked=True),
        lines("Success rate", "Of those that ended.", "percentunit", _series("SUCCESS_RATE"), maximum=1),
        lines("Duration", "95 % took up to this long.", "ms", _series("P95_DURATION_MS")),
        lines("By severity", "By when they started.", "none", _series("COUNT", "SEVERITY"), stacked=True),
        lines("By environment", "By when they started.", "none", _series("COUNT", "ENVIRONMENT"), stacked=True),
        lines("Came back", "The same alert on the same target within 24 hours of the end.", "percentunit",
              _series("RECURRENCE_RATE"), maximum=1),
    ],
    "What helps, and where it hurts": [
        rows("Actions", "How often each was tried, and how it went.", _by("ACTION_TYPE", *OF_EACH)),
        rows("Namespaces", "Where most happens.", _by("NAMESPACE", *OF_EACH)),
        bars("Severities", "Remediations by severity.", "none", _by("SEVERITY", "count")),
        bars("Kinds of targets", "Remediations by what they act on.", "none", _by("TARGET_KIND", "count")),
        bars("Clusters", "Remediations by cluster.", "none", _by("CLUSTER_NAME", "count")),
    ],
    "One by one": [
        rows("Failed last", "Newest first, with the reason.",
             _list("remediationAudits", f"first: 20, filter: {{status: {{eq: FAILURE}}, {STARTED}, {FILTER}}}",
                   "startTime", "name", "actionType", "targetResource", "severity", "errorMessage")),
        rows("Never ended", "Pending or in work since before this span ended, oldest first.",
             _list("staleRemediations", f'first: 20, olderThan: "${{__to:date:iso}}", filter: {{{FILTER}}}',
                   "startTime", "name", "phase", "actionType", "targetResource", "severity")),
    ],
}  # fmt: skip
