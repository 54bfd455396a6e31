"""The questions: what each peer is asked, so that all of them answer the same."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import orjson

from bench.speed import statements
from bench.speed.names import FLOOR, PGBENCH, POSTGRAPHILE, SERVICE, STRAWBERRY
from bench.speed.sample import Sample, Variables, create_input, known_text, new_text
from datastorage.domain.names import camel

FIELDS: Final = "remediationRequestId name namespace phase status actionType startTime durationMs severity clusterName targetResource"
TWELVE: Final = f"databaseId {FIELDS}"
POSTGRAPHILES_TWELVE: Final = f"databaseId: rowId {FIELDS}"
BATCH_ROWS: Final = 100
READERS, WRITERS, SEARCHERS, BATCHERS = 16, 64, 8, 8


def _same(variables: Variables) -> Variables:
    return variables


@dataclass(frozen=True)
class Ask:
    """How one peer is asked: a GraphQL document, or nothing but a path for the floor, or a script of pgbench's."""

    document: str | None = None
    path: str = "/graphql"
    given: Callable[[Variables], Variables] = _same
    script: str = ""

    def body(self, variables: Variables) -> str:
        """What is posted."""
        return orjson.dumps({"query": self.document, "variables": self.given(variables)}).decode()


@dataclass(frozen=True)
class Question:
    """One thing that is asked of all who can answer it."""

    name: str
    title: str
    variables: Callable[[Sample], Sequence[Variables]]
    asks: Mapping[str, Ask]
    connections: int = READERS
    marker: str = '"databaseId":'
    writes: bool = False
    rows: int = 1  # records that one request stores
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # of the service


def floor(path: str, given: Callable[[Variables], Variables] = _same) -> Ask:
    """The floor, which knows a question by its path."""
    return Ask(path=path, given=given)


def bare(statement: str, **values: str) -> Ask:
    """pgbench; `values` are what stands for `$1`, `$2` …, in the order of their names."""
    for number, value in enumerate(values.values(), 1):
        statement = statement.replace(f"${number}", value)
    return Ask(script=statement)


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

STORED: Final = f"remediationAudit {{ {TWELVE} }}"
CREATE_ONE: Final = f"""mutation Create($input: CreateRemediationAuditInput!) {{
  createRemediationAudit(input: $input) {{
    __typename ... on CreateRemediationAuditPayload {{ {STORED} }} ... on UserError {{ message }} }} }}"""


def _service_input(variables: Variables) -> Variables:
    return {"input": create_input(variables["row"])}


def _postgraphile_input(variables: Variables) -> Variables:
    row = {camel(name): value for name, value in variables["row"].items()}
    binary = base64.b64encode(bytes.fromhex(row["contentHash"])).decode()
    duration = row["durationMs"]
    return {"row": {**row, "contentHash": binary, "durationMs": None if duration is None else str(duration)}}


def _strawberry_input(variables: Variables) -> Variables:
    row = {camel(name): value for name, value in variables["row"].items()}
    return {"input": {**row, **{name: row[name].upper() for name in ("phase", "status", "severity")}}}


CREATE: Final = Question(
    "create",
    "one remediation, without embedding",
    lambda sample: [{"row": new_text(original)} for original in sample.new],
    {
        SERVICE: Ask(CREATE_ONE, given=_service_input),
        POSTGRAPHILE: Ask(
            f"""mutation Create($row: RemediationAuditInput!) {{
              createRemediationAudit(input: {{remediationAudit: $row}}) {{
                remediationAudit {{ {POSTGRAPHILES_TWELVE} }} }} }}""",
            given=_postgraphile_input,
        ),
        STRAWBERRY: Ask(
            f"""mutation Create($input: CreateRemediationAuditInput!) {{
              createRemediationAudit(input: $input) {{ {STORED} }} }}""",
            given=_strawberry_input,
        ),
        FLOOR: floor("/create"),
    },
    connections=WRITERS,
    writes=True,
    settings={"EMBEDDING_PROVIDER": "none"},
)

CREATE_NEW: Final = Question(
    "create_new",
    "one remediation, with everything, every text new",
    lambda sample: [{"row": new_text(original)} for original in sample.new],
    {SERVICE: Ask(CREATE_ONE, given=_service_input)},
    connections=WRITERS,
    writes=True,
)


def _mostly_known(sample: Sample) -> list[Variables]:
    rows = []
    for number, original in enumerate(sample.new):
        known = sample.known[number % len(sample.known)]
        rows.append({"row": new_text(original) if number % 5 == 0 else known_text(known)})
    return rows


CREATE_KNOWN: Final = Question(
    "create_known",
    "one remediation, with everything, four texts of five known",
    _mostly_known,
    {SERVICE: Ask(CREATE_ONE, given=_service_input)},
    connections=WRITERS,
    writes=True,
)


def _batches(sample: Sample) -> list[Variables]:
    """Within a batch the client's number is the same for all, so each adds its place."""
    rows = [variables["row"] for variables in _mostly_known(sample)]
    batches = [rows[first : first + BATCH_ROWS] for first in range(0, len(rows) - BATCH_ROWS + 1, BATCH_ROWS)]
    return [
        {"rows": [{**row, "remediation_request_id": f"w-@N@-{place}"} for place, row in enumerate(batch)]}
        for batch in batches
    ]


BATCH: Final = Question(
    "batch",
    "100 remediations in one request, with everything, four texts of five known",
    _batches,
    {
        SERVICE: Ask(
            f"""mutation Batch($inputs: [CreateRemediationAuditInput!]!) {{
              createRemediationAudits(inputs: $inputs) {{
                __typename ... on CreateRemediationAuditPayload {{ {STORED} }} ... on UserError {{ message }} }} }}""",
            given=lambda variables: {"inputs": [create_input(row) for row in variables["rows"]]},
        )
    },
    connections=BATCHERS,
    writes=True,
    rows=BATCH_ROWS,
)

SIMILAR: Final = Question(
    "similar",
    "similarIncidents, hybrid: a headline and 400 characters, 10 hits",
    lambda sample: [{"text": text} for text in sample.texts],
    {
        SERVICE: Ask(
            """query Similar($text: String!) {
              similarIncidents(text: $text, first: 10) {
                mode hits { similarity score incident { databaseId name actionType status resolution } } } }"""
        )
    },
    connections=SEARCHERS,
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

QUESTIONS: Final = (LIST, GET, NESTED, STATISTICS, SIMILAR, CREATE, CREATE_NEW, CREATE_KNOWN, BATCH)
GROWTH_QUESTIONS: Final = (LIST, GET, FILTER, COUNT, SIMILAR, CREATE_KNOWN, CREATE_NEW)
BY_NAME: Final[Mapping[str, Question]] = MappingProxyType(
    {question.name: question for question in (*QUESTIONS, FILTER, COUNT)}
)
