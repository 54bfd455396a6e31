"""How a made-up remediation was carried out: its workflow, and an execution for each step that ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from types import MappingProxyType
from typing import Any, Final

from datastorage.cli.demo_incidents import chance_of, made_at
from datastorage.domain.enums import Phase, WorkflowPhase

BEFORE: Final = (("check_preconditions",), ("snapshot_state",), ("check_preconditions", "snapshot_state"))
AFTER: Final = (("verify_recovery",), ("verify_recovery", "close_alert"))
BY_WORKFLOW: Final = 0.92  # the rest by hand
PLANNED_WHILE_PENDING: Final = 0.5
REPEATED: Final = 0.12  # of what succeeded: the action ran twice
RAN_IN_VAIN: Final = 0.25  # of what failed: the action ran, and the alert went on
SHARE_OF_OTHER_STEPS: Final = (0.03, 0.12)  # of the time that the action itself takes
ACTION_TYPICALLY: Final = timedelta(minutes=2)
PLANNING_S: Final = (3, 20)

_PHASES: Final = MappingProxyType(
    {
        Phase.PENDING: WorkflowPhase.PLANNING,
        Phase.PROCESSING: WorkflowPhase.EXECUTING,
        Phase.COMPLETED: WorkflowPhase.COMPLETED,
        Phase.FAILED: WorkflowPhase.FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a step; `share` is its time, the action's being 1."""

    action: str
    step: int
    share: float
    error: str | None = None


def workflow_of(remediation: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The workflow, None where somebody acted by hand, and its executions."""
    random = chance_of(remediation, "workflow")
    phase, request_id = remediation["phase"], remediation["remediation_request_id"]
    if random.random() >= (PLANNED_WHILE_PENDING if phase is Phase.PENDING else BY_WORKFLOW):
        return None, []
    steps = (*random.choice(BEFORE), remediation["action_type"], *random.choice(AFTER))
    start: datetime = remediation["start_time"]
    began = start + min(timedelta(seconds=random.randint(*PLANNING_S)), (_now(remediation) - start) / 10)
    timed = _timed(list(_runs(random, remediation, steps)), began, remediation)
    workflow = {
        "workflow_id": f"{request_id}-workflow",
        "phase": _PHASES[phase],
        "total_steps": len(steps),
        "completed_steps": sum(run.error is None for run, _, _ in timed),
        "start_time": began,
        "end_time": remediation["end_time"],
        **_common(remediation, {"steps": list(steps)}),
    }
    executions = [
        {
            "execution_id": f"{request_id}-execution-{number}",
            "workflow_id": workflow["workflow_id"],
            "action_type": run.action,
            "target_resource": remediation["target_resource"],
            "success": run.error is None,
            "start_time": start,
            "end_time": end,
            "execution_time_ms": (end - start) // timedelta(milliseconds=1),
            "error_message": run.error,
            **_common(remediation, {"step": run.step}),
        }
        for number, (run, start, end) in enumerate(timed, 1)
    ]
    return workflow, executions


def _runs(random: Random, remediation: Mapping[str, Any], steps: Sequence[str]) -> Iterator[_Run]:
    """What ran. In flight it is the action that has not ended."""
    phase, acting = remediation["phase"], steps.index(remediation["action_type"]) + 1
    last = {
        Phase.PENDING: 0,
        Phase.PROCESSING: acting - 1,
        Phase.COMPLETED: len(steps),
        Phase.FAILED: acting + (random.random() < RAN_IN_VAIN),
    }[phase]
    for step, action in enumerate(steps[:last], 1):
        share = 1.0 if step == acting else random.uniform(*SHARE_OF_OTHER_STEPS)
        if step == acting and phase is Phase.COMPLETED and random.random() < REPEATED:
            yield _Run(action, step, share / 2, f"{action} timed out, once more")
        why = (
            remediation["error_message"].rpartition(" failed: ")[2]
            if phase is Phase.FAILED and step == last
            else None
        )
        yield _Run(action, step, share, f"the alert still fires: {why}" if why and step > acting else why)


def _timed(
    runs: Sequence[_Run], began: datetime, remediation: Mapping[str, Any]
) -> list[tuple[_Run, datetime, datetime]]:
    """The runs that are over, one after the other; the last one ends with the remediation."""
    now, past = _now(remediation), list(accumulate(run.share for run in runs))
    if not past:
        return []
    has_ended = remediation["end_time"] is not None
    unit = (now - began) / past[-1] if has_ended else ACTION_TYPICALLY
    ends = [*(began + unit * share for share in past[:-1]), now if has_ended else began + unit * past[-1]]
    return [
        (run, start, end)
        for run, (start, end) in zip(runs, pairwise([began, *ends]), strict=True)
        if end <= now
    ]


def _now(remediation: Mapping[str, Any]) -> datetime:
    """The end, or for what is in flight the moment that it was made for."""
    end = remediation["end_time"] or made_at(remediation["remediation_request_id"])
    return end or remediation["start_time"]


def _common(remediation: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "remediation_request_id": remediation["remediation_request_id"],
        "namespace": remediation["namespace"],
        "cluster_name": remediation["cluster_name"],
        "metadata": {"demo": True, **metadata},
    }
