"""Every metric that alerts, dashboards and documentation speak of is one that the service has."""

import re
from pathlib import Path

import pytest
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

from datastorage.observability import metrics

ROOT = Path(__file__).parents[2]
FILES = [
    file
    for folder, pattern in (
        ("deploy", "**/*.y*ml"),
        ("dashboards", "*.json"),
        ("docs", "**/*.md"),
        (".", "*.md"),
        ("tests/monitoring", "*.y*ml"),
    )
    for file in (ROOT / folder).glob(pattern)
]


def series() -> set[str]:
    """The names that samples have."""
    names: set[str] = set()
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (described,) = metric.describe()
            suffixes = ("", "_bucket", "_count", "_sum") if isinstance(metric, Histogram) else ("",)
            name = described.name + "_total" * (described.type == "counter")
            names |= {name + suffix for suffix in suffixes}
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_it_names_no_metric_that_is_not_declared(file: Path) -> None:
    named = set(re.findall(r"\bdatastorage_[a-z_]+\b", file.read_text()))

    assert named - series() == set()
