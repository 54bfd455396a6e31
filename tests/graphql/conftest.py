"""The figures of generated documents in the summary of the run."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many documents were compared, and what they were answered."""
    compared: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "documents" and report.when == "call":
                    compared.update(value)
    if compared:
        terminalreporter.section("generated documents that both executors answered")
        figures = ", ".join(f"{count:,} {kind}" for kind, count in compared.most_common())
        terminalreporter.write_line(f"{compared.total():,} compared: {figures}")
