"""What `kubectl kustomize` makes of an overlay, and the questions that a cluster would ask of it."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OVERLAYS = ("development", "production")
SERVICE = "data-storage-service"

Object = dict[str, Any]


@dataclass(frozen=True)
class Manifests:
    """The objects of one overlay."""

    objects: tuple[Object, ...]

    def of(self, kind: str) -> list[Object]:
        """All of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str = SERVICE) -> Object:
        """The one of a kind with this name."""
        (found,) = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def workloads(self) -> Iterator[Object]:
        """All that runs pods of its own."""
        for kind in ("Deployment", "StatefulSet", "Job"):
            yield from self.of(kind)

    def settings(self) -> dict[str, str]:
        """The environment of the service's container."""
        container = containers(self.one("Deployment"))[0]
        (source,) = container["envFrom"]
        assert "env" not in container
        return self.one("ConfigMap", source["configMapRef"]["name"])["data"]


@cache
def rendered(overlay: str) -> Manifests:
    """Rendered once for all tests. Errors: AssertionError with what kubectl says."""
    assert shutil.which("kubectl"), "needs kubectl 1.24 or newer on the PATH"
    run = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY / "overlays" / overlay)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return Manifests(tuple(yaml.safe_load_all(run.stdout)))


def pod(workload: Object) -> Object:
    """The template of its pods."""
    return workload["spec"]["template"]


def containers(workload: Object) -> list[Object]:
    """The containers of one of its pods."""
    return pod(workload)["spec"]["containers"]


def labels(workload: Object) -> Mapping[str, str]:
    """What its pods wear."""
    return pod(workload)["metadata"]["labels"]


def selects(selector: Object, worn: Mapping[str, str]) -> bool:
    """Whether a label selector picks what wears these labels."""
    assert set(selector) <= {"matchLabels", "matchExpressions"}
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In"
        if worn.get(expression["key"]) not in expression["values"]:
            return False
    return all(worn.get(name) == value for name, value in selector.get("matchLabels", {}).items())


def secret_files(workload: Object) -> dict[str, tuple[str, str]]:
    """Each mounted secret file: its name, and the Secret and key that it comes from."""
    return {
        item["path"]: (source["secret"]["name"], item["key"])
        for volume in pod(workload)["spec"]["volumes"]
        for source in volume.get("projected", {}).get("sources", ())
        for item in source["secret"]["items"]
    }


def seconds(text: str) -> int:
    """`15s` as a number."""
    return int(re.fullmatch(r"(\d+)s", text)[1])
