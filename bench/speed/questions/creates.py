"""Creates: one by one and in batches, without embedding and with everything."""

from __future__ import annotations

import base64
from typing import Final

from bench.speed.names import FLOOR, POSTGRAPHILE, SERVICE, STRAWBERRY
from bench.speed.questions.question import (
    BATCHERS,
    POSTGRAPHILES_TWELVE,
    TWELVE,
    WRITERS,
    Ask,
    Question,
    floor,
)
from bench.speed.sample import Sample, Variables, create_input, known_text, new_text
from datastorage.domain.names import camel

BATCH_ROWS: Final = 100
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
