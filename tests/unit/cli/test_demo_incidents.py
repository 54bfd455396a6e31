"""The made-up remediations of `datastorage demo`."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from datastorage.cli.demo_catalogue import WORKLOADS, load_scenarios
from datastorage.cli.demo_incidents import demo_incidents, made_at, request_id_prefix
from datastorage.cli.demo_timing import DAYS
from datastorage.domain.enums import Phase, Severity
from datastorage.domain.remediation import RemediationDraft
from datastorage.redaction import Redactor

NOW = datetime(2026, 6, 17, 14, 23, 41, 500, tzinfo=UTC)
MINUTE = datetime(2026, 6, 17, 14, 23, tzinfo=UTC)

Raw = dict[str, Any]


def made(count: int, *, seed: int = 1, now: datetime = NOW) -> list[Raw]:
    return list(demo_incidents(count, seed=seed, now=now))


@pytest.fixture(scope="module")
def raws() -> list[Raw]:
    return made(2_000)


@pytest.fixture(scope="module")
def drafts(raws: list[Raw]) -> list[RemediationDraft]:
    """Parsing is the test that each of them is a valid create input."""
    return [RemediationDraft.parse(raw) for raw in raws]


def test_every_incident_is_a_valid_create_input(drafts: list[RemediationDraft]) -> None:
    assert len(drafts) == 2_000


def test_request_ids_are_unique_and_carry_seed_and_minute(raws: list[Raw]) -> None:
    ids = [raw["remediation_request_id"] for raw in raws]

    assert len(set(ids)) == 2_000
    assert ids[0] == "demo-1-20260617T1423Z-00001"
    assert all(request_id.startswith(request_id_prefix(1)) for request_id in ids)
    assert {made_at(request_id) for request_id in ids} == {MINUTE}


@pytest.mark.parametrize(
    "request_id", ["demo-1-payments", "demo-20260617T1423Z-00001", "demo-1-20261399T9999Z-00001", "rr-1"]
)
def test_other_request_ids_tell_no_moment(request_id: str) -> None:
    assert made_at(request_id) is None


def test_the_same_seed_and_minute_make_the_same_incidents(raws: list[Raw]) -> None:
    assert made(2_000, now=MINUTE) == raws


def test_a_larger_count_begins_with_the_same_incidents(raws: list[Raw]) -> None:
    assert made(300) == raws[:300]


def test_another_day_moves_the_same_incidents_in_time(raws: list[Raw]) -> None:
    later = made(2_000, now=NOW + timedelta(days=2, hours=5))

    same = sum(
        {**raw, "remediation_request_id": "", "start_time": None, "end_time": None, "error_message": ""}
        == {**other, "remediation_request_id": "", "start_time": None, "end_time": None, "error_message": ""}
        for raw, other in zip(raws, later, strict=True)
    )
    assert later != raws
    assert same > 1_900


def test_another_seed_makes_other_incidents(raws: list[Raw]) -> None:
    others = made(300, seed=2)

    for key in ("remediation_request_id", "name"):
        assert {raw[key] for raw in others}.isdisjoint(raw[key] for raw in raws)


def test_incidents_lie_within_sixty_days_before_now(drafts: list[RemediationDraft]) -> None:
    ends = [draft.end_time for draft in drafts if draft.end_time is not None]

    assert all(MINUTE - timedelta(days=DAYS) < draft.start_time <= MINUTE for draft in drafts)
    assert max(ends) <= MINUTE
    assert (max(ends) - min(ends)).days >= DAYS - 2


def test_users_sleep_at_night_and_deploy_on_working_days(drafts: list[RemediationDraft]) -> None:
    local = [draft.start_time + timedelta(hours=1) for draft in drafts if draft.cluster_name == "prod-eu-1"]

    night = sum(time.hour in range(3, 6) for time in local)
    morning = sum(time.hour in range(9, 12) for time in local)
    assert morning > 2 * night
    weekend = sum(time.weekday() >= 5 for time in local) / 2
    working_days = sum(time.weekday() < 5 for time in local) / 5
    assert working_days > 1.3 * weekend


def test_every_phase_severity_and_environment_occurs(drafts: list[RemediationDraft]) -> None:
    assert {draft.phase for draft in drafts} == set(Phase)
    assert {draft.severity for draft in drafts} == set(Severity)
    assert {draft.environment for draft in drafts} == {"production", "staging", "development"}


def test_most_have_ended_and_two_of_those_in_flight_are_stale() -> None:
    drafts = [RemediationDraft.parse(raw) for raw in made(300)]

    phases = Counter(draft.phase for draft in drafts)
    assert phases[Phase.PENDING] == 4
    assert phases[Phase.PROCESSING] == 5
    assert phases[Phase.COMPLETED] > phases[Phase.FAILED] > 60
    ages = [MINUTE - draft.start_time for draft in drafts if draft.end_time is None]
    assert sum(age > timedelta(hours=24) for age in ages) == 2
    assert sum(age < timedelta(minutes=15) for age in ages) == 7


def test_outcome_and_text_agree(drafts: list[RemediationDraft]) -> None:
    for draft in drafts:
        ended = draft.phase in {Phase.COMPLETED, Phase.FAILED}
        assert (draft.end_time is not None) is ended
        assert (draft.resolution is not None) is (draft.phase is Phase.COMPLETED)
        assert draft.error_message is not None
        assert (f"\n{draft.action_type} failed: " in draft.error_message) is (draft.phase is Phase.FAILED)


def test_every_incident_is_marked_and_labelled(raws: list[Raw]) -> None:
    for raw in raws:
        assert raw["metadata"]["demo"] is True
        assert raw["metadata"].keys() == {
            *("demo", "title", "alertname", "team", "service", "version", "region", "attempt", "runbook")
        }


def test_a_newcomer_sees_most_scenarios() -> None:
    alerts = {raw["metadata"]["alertname"] for raw in made(300)}

    assert len(alerts) >= 50


def test_every_scenario_has_its_own_alert_and_comes_up(raws: list[Raw]) -> None:
    alerts = [scenario.alert for scenario in load_scenarios()]

    assert len(set(alerts)) == len(alerts) == 79
    assert {raw["metadata"]["alertname"] for raw in raws} == set(alerts)


def test_every_scenario_can_befall_something_that_logs_it() -> None:
    for scenario in load_scenarios():
        befallen = [workload.tags for workload in WORKLOADS if scenario.on in workload.tags]
        assert befallen, scenario.alert
        assert all(scenario.wordings(tags) for tags in befallen), scenario.alert
        used = frozenset[str]().union(*befallen)
        assert scenario.runtime_errors.keys() <= used, scenario.alert


def test_every_scenario_is_worded_in_several_ways_and_has_a_better_and_a_worse_action() -> None:
    for scenario in load_scenarios():
        odds = [action.helps for action in scenario.actions]
        assert 2 <= len(odds) <= 4, scenario.alert
        assert max(odds) - min(odds) >= 0.2, scenario.alert
        assert len(scenario.errors) + len(scenario.runtime_errors) >= 2, scenario.alert


def test_the_better_action_of_each_scenario_shows_in_its_success_rate() -> None:
    outcomes: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for raw in made(20_000):
        if raw["end_time"] is not None:
            key = raw["metadata"]["alertname"], raw["action_type"]
            outcomes[key].append(raw["phase"] is Phase.COMPLETED)

    for scenario in load_scenarios():
        rates = {}
        for action in scenario.actions:
            tries = outcomes[scenario.alert, action.type]
            rates[action.type] = sum(tries) / len(tries)
            assert rates[action.type] == pytest.approx(action.helps, abs=0.2)
        best = max(scenario.actions, key=lambda action: action.helps)
        worst = min(scenario.actions, key=lambda action: action.helps)
        assert rates[best.type] > rates[worst.type], scenario.alert


def test_the_same_failure_comes_back_to_the_same_target_within_a_day(drafts: list[RemediationDraft]) -> None:
    by_place = defaultdict(list)
    for draft in drafts:
        by_place[draft.alert_fingerprint, draft.cluster_name, draft.target_resource].append(draft)

    recurred = sum(
        before.end_time is not None
        and before.end_time < after.start_time <= before.end_time + timedelta(days=1)
        for there in by_place.values()
        for before, after in pairwise(sorted(there, key=lambda draft: draft.start_time))
    )
    assert recurred > 400


def test_an_alert_has_one_fingerprint_per_cluster_and_target(drafts: list[RemediationDraft]) -> None:
    labels = defaultdict(set)
    for draft in drafts:
        alert = draft.metadata["alertname"]
        labels[alert, draft.cluster_name, draft.target_resource].add(draft.alert_fingerprint)

    fingerprints = [next(iter(found)) for found in labels.values()]
    assert all(len(found) == 1 for found in labels.values())
    assert len(set(fingerprints)) == len(fingerprints)


def test_no_template_is_left_unfilled(drafts: list[RemediationDraft]) -> None:
    for draft in drafts:
        texts = (
            draft.error_message,
            draft.resolution,
            draft.metadata["title"],
            *draft.action_parameters.values(),
        )
        for text in texts:
            for token in ("{number", "{hex", "{workload", "{pod", "{peer", "{node", "object at 0x"):
                assert token not in str(text)


def test_nothing_in_them_looks_like_a_secret(drafts: list[RemediationDraft]) -> None:
    redactor = Redactor()

    for draft in drafts:
        for text in (draft.error_message, draft.resolution):
            assert redactor.text(text or "") == (text or "", ())
        for value in (draft.action_parameters, draft.metadata):
            assert redactor.json(value) == (value, ())
