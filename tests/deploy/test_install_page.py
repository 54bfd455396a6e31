"""docs/install.md tells of every line that is the reader's to change, and its commands name what exists."""

import re

import pytest

from support.manifests import DEPLOY, OVERLAYS, ROOT, rendered

PAGE = (ROOT / "docs" / "install.md").read_text()


def test_every_file_with_a_line_of_the_readers_own_is_listed() -> None:
    files = {str(file.relative_to(ROOT)) for file in DEPLOY.rglob("*.yaml") if "Yours:" in file.read_text()}
    listed = {
        f"{folder}/{name}"
        for folder, names in re.findall(r"^\| `(deploy/[\w/-]+)/([^|]+)` \|", PAGE, re.MULTILINE)
        for name in names.replace("`", "").split(", ")
    }

    assert listed == files


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_its_commands_name_objects_that_exist(overlay: str) -> None:
    names = {each["metadata"]["name"] for each in rendered(overlay).objects}
    named = set(re.findall(r"(?:deploy|deployment|service|job)/([a-z-]+)", PAGE)) - {
        "image",
        "overlays",
        "components",
    }

    assert {name for name in named if name.startswith("data-storage")} <= names
    assert f"apply {'--server-side ' if overlay == 'production' else ''}-k deploy/overlays/{overlay}" in PAGE


def test_the_unit_for_a_machine_of_its_own_has_time_to_end() -> None:
    unit = (DEPLOY / "systemd" / "data-storage-service.service").read_text()

    (patience_s,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(patience_s) == 30
    assert "DATASTORAGE_EMBEDDED=off" in unit
