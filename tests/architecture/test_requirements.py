"""Every requirement is shown by tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| (BR-STORAGE-\d{3}) \| .+? \| (.+?) \|$",
    (ROOT / "docs" / "requirements.md").read_text(),
    re.MULTILINE,
)


def test_all_twenty_requirements_are_there() -> None:
    assert [name for name, _ in ROWS] == [f"BR-STORAGE-{number:03}" for number in range(1, 21)]


@pytest.mark.parametrize(("name", "shown_by"), ROWS)
def test_a_requirement_is_shown_by_tests_that_exist(name: str, shown_by: str) -> None:
    references = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown_by)

    assert references
    for file, test in references:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE), (file, test)
