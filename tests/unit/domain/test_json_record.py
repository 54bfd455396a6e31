"""A record as a line of JSONL, and back."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from datastorage.domain.enums import WorkflowPhase
from datastorage.domain.execution import EXECUTION
from datastorage.domain.json_record import EXCHANGE_ORDER, KIND_OF, from_json, to_line
from datastorage.domain.kinds import KINDS
from datastorage.domain.remediation import REMEDIATION
from datastorage.domain.workflow import WORKFLOW, WorkflowAudit
from datastorage.errors import InvalidInput

UNKNOWN = (
    "is of an unknown kind; expected one of remediationAudit, aiAnalysisAudit, workflowAudit, executionAudit"
)
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORKFLOW_RECORD = WorkflowAudit(
    id=7,
    version=3,
    created_at=START,
    updated_at=START,
    workflow_id="wf-1",
    remediation_request_id="rr-1",
    phase=WorkflowPhase.EXECUTING,
    total_steps=2,
    completed_steps=1,
    start_time=START.replace(microsecond=120),
    end_time=None,
    namespace=None,
    cluster_name="eu-1",
    metadata={"snake_case": None, "kept": {"asIs": [1, "a\u2028b"]}},
)


def test_a_line_names_its_kind_first_and_leaves_out_what_is_absent() -> None:
    assert to_line(WORKFLOW, WORKFLOW_RECORD).decode() == (
        '{"record":"workflowAudit","workflowId":"wf-1","remediationRequestId":"rr-1","phase":"EXECUTING",'
        '"totalSteps":2,"completedSteps":1,"startTime":"2026-01-01T12:00:00.000120Z","clusterName":"eu-1",'
        '"metadata":{"snake_case":null,"kept":{"asIs":[1,"a\u2028b"]}}}\n'
    )


def test_what_was_written_is_read_as_the_same() -> None:
    kind, raw = from_json(orjson.loads(to_line(WORKFLOW, WORKFLOW_RECORD)))

    draft = kind.parse(raw)
    stored = {"id": 7, "version": 3, "created_at": START, "updated_at": START}
    assert kind is WORKFLOW
    assert (
        WorkflowAudit(**{name: getattr(draft, name) for name in kind.draft_fields}, **stored)
        == WORKFLOW_RECORD
    )


def test_every_kind_has_a_name_and_a_place_in_the_order_of_files() -> None:
    assert list(KIND_OF) == ["remediationAudit", "aiAnalysisAudit", "workflowAudit", "executionAudit"]
    assert set(EXCHANGE_ORDER) == set(KIND_OF.values()) == set(KINDS)


@pytest.mark.parametrize(
    ("value", "kind", "raw"),
    [
        ({"startTime": 1}, REMEDIATION, {"start_time": 1}),
        ({"start_time": 1, "record": "remediationAudit"}, REMEDIATION, {"start_time": 1}),
        ({"record": "executionAudit", "metadata": {"aB": 1}}, EXECUTION, {"metadata": {"aB": 1}}),
    ],
)
def test_fields_are_read_in_either_spelling(value: Any, kind: Any, raw: dict[str, Any]) -> None:
    given = dict(value)

    assert from_json(value) == (kind, raw)
    assert value == given


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ([], [("line", "is no JSON object")]),
        (None, [("line", "is no JSON object")]),
        (
            {"record": "RemediationAudit"},
            [("record", UNKNOWN)],
        ),
        ({"record": None}, [("record", UNKNOWN)]),
        ({"record": {}}, [("record", UNKNOWN)]),
        (
            {"startTime": 1, "endTime": 1, "start_time": 1, "end_time": 1},
            [
                ("startTime", "is given more than once, as startTime and start_time"),
                ("endTime", "is given more than once, as endTime and end_time"),
            ],
        ),
    ],
)
def test_what_is_no_record_is_refused_with_every_fault(value: Any, faults: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_json(value)

    assert [(fault.field, fault.message) for fault in refused.value.faults] == faults
