"""What is around the made-up remediations: analyses, workflows and executions."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean
from typing import Any

import pytest

from datastorage.cli.demo_analyses import ANALYSED
from datastorage.cli.demo_around import demo_records
from datastorage.cli.demo_catalogue import load_scenarios
from datastorage.cli.demo_incidents import demo_incidents
from datastorage.cli.demo_workflows import BY_WORKFLOW
from datastorage.domain.analysis import AiAnalysisDraft
from datastorage.domain.enums import Phase, SubjectKind, WorkflowPhase
from datastorage.domain.execution import ExecutionDraft
from datastorage.domain.kinds import KINDS
from datastorage.domain.remediation import RemediationDraft
from datastorage.domain.workflow import WorkflowDraft
from datastorage.redaction import Redactor

NOW = datetime(2026, 6, 17, 14, 23, tzinfo=UTC)
Drafts = dict[SubjectKind, list[Any]]


def made(count: int, *, now: datetime = NOW) -> dict[SubjectKind, list[Any]]:
    return demo_records(list(demo_incidents(count, seed=1, now=now)))


@pytest.fixture(scope="module")
def drafts() -> Drafts:
    """Parsing is the test that each of them is a valid create input."""
    records = made(2_000)
    return {kind.subject: [kind.parse(raw) for raw in records[kind.subject]] for kind in KINDS}


@pytest.fixture(scope="module")
def remediations(drafts: Drafts) -> dict[str, RemediationDraft]:
    return {draft.remediation_request_id: draft for draft in drafts[SubjectKind.REMEDIATION]}


@pytest.fixture(scope="module")
def executions(drafts: Drafts) -> dict[str, list[ExecutionDraft]]:
    found = defaultdict(list)
    for draft in drafts[SubjectKind.EXECUTION]:
        found[draft.workflow_id].append(draft)
    return found


def analysed(drafts: Drafts) -> list[AiAnalysisDraft]:
    return drafts[SubjectKind.ANALYSIS]


def workflows(drafts: Drafts) -> list[WorkflowDraft]:
    return drafts[SubjectKind.WORKFLOW]


def test_most_remediations_have_an_analysis_and_a_workflow_and_some_have_neither(drafts: Drafts) -> None:
    by_agents = {draft.remediation_request_id for draft in analysed(drafts)}
    by_workflow = {draft.remediation_request_id for draft in workflows(drafts)}

    assert len(by_agents) / 2_000 == pytest.approx(ANALYSED, abs=0.03)
    assert len(by_workflow) / 2_000 == pytest.approx(BY_WORKFLOW, abs=0.03)
    assert len(by_agents | by_workflow) < 2_000


def test_keys_are_unique_and_everything_is_marked(drafts: Drafts) -> None:
    for kind in KINDS:
        keys = [kind.key_of(draft) for draft in drafts[kind.subject]]
        assert len(set(keys)) == len(keys)
        assert all(key.startswith("demo-1-") for key in keys)
        assert all(draft.metadata["demo"] is True for draft in drafts[kind.subject])


def test_a_larger_count_and_a_later_repetition_make_the_same_records() -> None:
    some, more = made(50), made(80)

    assert all(more[kind][: len(some[kind])] == some[kind] for kind in SubjectKind)
    assert made(50) == some


def test_agents_are_surer_of_what_turned_out_well(
    drafts: Drafts, remediations: dict[str, RemediationDraft]
) -> None:
    by_phase = defaultdict(list)
    for draft in analysed(drafts):
        by_phase[remediations[draft.remediation_request_id].phase].append(draft.confidence_score)

    assert mean(by_phase[Phase.COMPLETED]) > mean(by_phase[Phase.FAILED]) + 0.15
    assert min(by_phase[Phase.FAILED]) < 0.4 < max(by_phase[Phase.FAILED])


def test_a_root_cause_is_named_by_those_who_are_sure_enough(drafts: Drafts) -> None:
    for draft in analysed(drafts):
        assert (draft.root_cause is None) is (draft.confidence_score < 0.4)


def test_the_recommended_action_was_taken_unless_the_remediation_failed(
    drafts: Drafts, remediations: dict[str, RemediationDraft]
) -> None:
    known = {scenario.alert: {action.type for action in scenario.actions} for scenario in load_scenarios()}
    otherwise = set()
    for draft in analysed(drafts):
        remediation = remediations[draft.remediation_request_id]
        assert draft.recommended_action in known[remediation.metadata["alertname"]]
        if draft.recommended_action != remediation.action_type:
            otherwise.add(remediation.phase)
    assert otherwise == {Phase.FAILED}


def test_a_workflow_stands_where_its_remediation_stands(
    drafts: Drafts, remediations: dict[str, RemediationDraft]
) -> None:
    stands = {(remediations[draft.remediation_request_id].phase, draft.phase) for draft in workflows(drafts)}

    assert stands == {
        (Phase.PENDING, WorkflowPhase.PLANNING),
        (Phase.PROCESSING, WorkflowPhase.EXECUTING),
        (Phase.COMPLETED, WorkflowPhase.COMPLETED),
        (Phase.FAILED, WorkflowPhase.FAILED),
    }


def test_steps_are_completed_by_executions_that_succeeded(
    drafts: Drafts, executions: dict[str, list[ExecutionDraft]]
) -> None:
    repeated = 0
    for draft in workflows(drafts):
        there = executions[draft.workflow_id]
        succeeded = {execution.metadata["step"] for execution in there if execution.success}
        assert draft.completed_steps == len(succeeded)
        assert (draft.completed_steps == draft.total_steps) is (draft.phase is WorkflowPhase.COMPLETED)
        failures = [execution for execution in there if not execution.success]
        assert all(execution.error_message for execution in failures)
        if draft.phase is WorkflowPhase.FAILED:
            assert [there[-1]] == failures
        repeated += draft.phase is WorkflowPhase.COMPLETED and len(failures) == 1
    assert repeated > 20


def test_executions_follow_one_another_within_their_remediation(
    drafts: Drafts,
    executions: dict[str, list[ExecutionDraft]],
    remediations: dict[str, RemediationDraft],
) -> None:
    for draft in workflows(drafts):
        remediation = remediations[draft.remediation_request_id]
        there = executions[draft.workflow_id]
        assert remediation.start_time <= draft.start_time
        assert draft.end_time == remediation.end_time
        for before, after in pairwise(there):
            assert before.end_time == after.start_time
        if there and draft.end_time is not None:
            assert (there[0].start_time, there[-1].end_time) == (draft.start_time, draft.end_time)
        for execution in there:
            assert execution.end_time is not None
            assert execution.start_time <= execution.end_time <= (draft.end_time or NOW)
            took = execution.end_time - execution.start_time
            assert execution.execution_time_ms == took // timedelta(milliseconds=1)


def test_what_hangs_has_not_gone_past_its_action(
    drafts: Drafts,
    executions: dict[str, list[ExecutionDraft]],
    remediations: dict[str, RemediationDraft],
) -> None:
    hanging = [draft for draft in workflows(drafts) if draft.end_time is None]

    assert len(hanging) >= 5
    for draft in hanging:
        action = remediations[draft.remediation_request_id].action_type
        assert action not in {execution.action_type for execution in executions[draft.workflow_id]}


def test_every_scenario_has_a_cause_that_can_be_told(drafts: Drafts) -> None:
    told = [draft.root_cause for draft in analysed(drafts) if draft.root_cause]

    assert all(scenario.causes for scenario in load_scenarios())
    assert not [cause for cause in told if "{" in cause]


def test_nothing_around_them_looks_like_a_secret(drafts: Drafts) -> None:
    redactor = Redactor()

    for kind in KINDS:
        for draft in drafts[kind.subject]:
            assert redactor.json(draft.metadata) == (draft.metadata, ())
            for field in kind.redacted_text:
                text = getattr(draft, field) or ""
                assert redactor.text(text) == (text, ())
