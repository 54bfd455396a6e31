"""The alerts: two files of one content, each alert seen firing and not firing, each with its runbook."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
RULE_TESTS = Path(__file__).with_name("alerts_test.yaml")
GROUPS = yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"]
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
OF_THE_SPECIFICATION = {
    "DataStorageHighWriteErrorRate": ("5m", "critical"),
    "DataStoragePostgreSQLFailure": ("1m", "critical"),
    "DataStorageHighQueryErrorRate": ("5m", "critical"),
    "DataStorageVectorDBDegraded": ("5m", "warning"),
    "DataStorageLowCacheHitRate": ("15m", "warning"),
    "DataStorageSlowSemanticSearch": ("10m", "warning"),
}
HEADINGS = ["## What it means", "## Confirm", "## Mend", "## Prevent"]


def test_each_alert_fires_and_does_not_fire_where_it_must_not() -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", RULE_TESTS], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr + done.stdout


def test_each_alert_is_tested_both_ways() -> None:
    asked = [
        (case["alertname"], bool(case.get("exp_alerts")))
        for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]

    assert set(asked) == {(alert, fires) for alert in ALERTS for fires in (True, False)}


def test_the_resource_of_the_operator_has_the_same_alerts() -> None:
    written = (PROMETHEUS / "prometheusrule.yaml").read_text()
    made = subprocess.run(
        [sys.executable, PROMETHEUS / "prometheusrule.py"], capture_output=True, text=True, check=True
    )

    assert written == made.stdout, "run: make alerts"
    resource = yaml.safe_load(written)
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["metadata"] == {
        "name": "data-storage-service",
        "labels": {"app": "data-storage-service"},
    }
    assert resource["spec"] == {"groups": GROUPS}


def test_the_six_alerts_are_there_with_their_patience_and_severity() -> None:
    assert {
        alert: (ALERTS[alert]["for"], ALERTS[alert]["labels"]["severity"]) for alert in OF_THE_SPECIFICATION
    } == OF_THE_SPECIFICATION


each_alert = pytest.mark.parametrize("alert", ALERTS)


@each_alert
def test_the_alert_has_a_runbook_that_says_what_to_do(alert: str) -> None:
    rule = ALERTS[alert]
    page = (RUNBOOKS / f"{alert}.md").read_text()

    assert rule["annotations"]["runbook"] == f"docs/runbooks/{alert}.md"
    assert page.startswith(f"# {alert}\n\n**{rule['labels']['severity']}** · ")
    assert re.findall(r"^## .*", page, re.MULTILINE) == HEADINGS
    assert "```promql\n" in page


@each_alert
def test_the_alert_is_documented_with_its_patience_and_severity(alert: str) -> None:
    rule = ALERTS[alert]
    (told,) = re.findall(
        rf"^\| \[{alert}\]\(runbooks/{alert}\.md\) \| .+? \| (\S+) \| (\w+) \|$", OPERATIONS, re.MULTILINE
    )

    assert told == (rule.get("for", "–"), rule["labels"]["severity"])


def test_no_runbook_is_about_an_alert_that_is_not_there() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"} == set(ALERTS)


def test_ratios_of_counters_are_of_sums_of_rates() -> None:
    for alert, rule in ALERTS.items():
        for counter in re.findall(r"(.{30})datastorage_\w+_total", f"{'':30}{rule['expr']}"):
            assert re.search(r"sum by \(namespace\) \((rate|increase)\($", counter), (alert, counter)
