"""Writes what the wheel is made of, as CycloneDX, from the two lock files: `make sbom`. Standard library only."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXPORT = ("export", "--frozen", "--quiet", "--no-dev", "--all-extras", "--format", "cyclonedx1.5")


def bill() -> dict[str, Any]:
    """Python packages as uv tells them, and what is bundled into GraphiQL's files."""
    uv = shutil.which("uv") or shutil.which("uv", path=Path(sys.executable).parent)
    if uv is None:
        raise SystemExit("no uv: make install")
    exported = subprocess.run([uv, *EXPORT], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    told: dict[str, Any] = json.loads(exported)
    told["components"] += bundled()
    return told


def bundled() -> Iterator[dict[str, Any]]:
    """The npm packages that GraphiQL is built of; tools of the build are not in what ships."""
    lock = json.loads((ROOT / "ui" / "package-lock.json").read_text())
    for place, package in sorted(lock["packages"].items()):
        if place and not package.get("dev") and not package.get("optional"):
            name = place.rpartition("node_modules/")[2]
            algorithm, _, digest = package["integrity"].partition("-")
            purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
            yield {
                "type": "library",
                "bom-ref": f"{purl}#{place}",
                "name": name,
                "version": package["version"],
                "purl": purl,
                "hashes": [
                    {
                        "alg": algorithm.upper().replace("SHA", "SHA-"),
                        "content": base64.b64decode(digest).hex(),
                    }
                ],
            }


def main() -> None:
    """The command line: the file to write."""
    target = Path(sys.argv[1])
    told = bill()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(told, indent=1) + "\n")
    print(f"{target}: {len(told['components'])} components")


if __name__ == "__main__":
    main()
