"""The laptop's set-up: its settings are those of the code, and every file that it mounts is there and sound."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from datastorage import __version__
from datastorage.settings import Settings
from support.manifests import DEPLOY, ROOT, SERVICE, containers, rendered

COMPOSE = DEPLOY / "compose"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text())


def mounts(compose: dict[str, Any], service: str) -> Iterator[tuple[Path, str]]:
    """Each file or folder of this repository that a container sees, and where."""
    for volume in compose["services"][service]["volumes"]:
        source, target = volume.split(":")[:2]
        if source.startswith("."):
            yield (COMPOSE / source).resolve(), target


def provisioned(name: str) -> dict[str, Any]:
    return yaml.safe_load((COMPOSE / "grafana" / name).read_text())


def test_every_variable_and_every_secret_of_the_service_is_a_setting(compose: dict[str, Any]) -> None:
    known = {f"DATASTORAGE_{name.upper()}" for name in Settings.model_fields} | {"DATASTORAGE_SECRETS_DIR"}

    for name in (SERVICE, "migrate"):
        service = compose["services"][name]
        assert {*service["environment"], *service["secrets"]} <= known
        assert service["image"] == f"{SERVICE}:{__version__}"


def test_the_password_is_made_by_the_user_and_kept_out_of_git(compose: dict[str, Any]) -> None:
    file = (COMPOSE / compose["secrets"]["DATASTORAGE_DATABASE_PASSWORD"]["file"]).relative_to(ROOT)

    assert str(file) in (ROOT / ".gitignore").read_text().splitlines()


def test_nothing_listens_beyond_this_machine(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", ())]

    assert sorted(published) == ["127.0.0.1:3000:3000", "127.0.0.1:8080:8080", "127.0.0.1:9091:9090"]


def test_the_service_waits_for_its_schema_and_has_time_to_end(compose: dict[str, Any]) -> None:
    service = compose["services"][SERVICE]
    settings = Settings(_env_file=None)

    assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert compose["services"]["migrate"]["command"] == ["migrate"]
    assert settings.drain_s + settings.shutdown_timeout_s < int(service["stop_grace_period"].rstrip("s"))


def test_its_database_is_the_one_of_the_development_overlay(compose: dict[str, Any]) -> None:
    (server,) = rendered("development").of("StatefulSet")

    assert compose["services"]["postgresql"]["image"] == containers(server)[0]["image"]


@pytest.mark.parametrize("service", ["prometheus", "grafana"])
def test_every_mounted_file_exists(compose: dict[str, Any], service: str) -> None:
    assert [str(file) for file, _ in mounts(compose, service) if not file.exists()] == []


def test_prometheus_takes_its_configuration_with_the_alerts_and_scrapes_the_service(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    for file, target in mounts(compose, "prometheus"):
        (tmp_path / Path(target).name).write_bytes(file.read_bytes())

    checked = subprocess.run(
        ["promtool", "check", "config", "--lint=all", str(tmp_path / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
    (job,) = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"{SERVICE}:{Settings(_env_file=None).metrics_port}"]}]


def test_grafana_has_a_data_source_for_each_board_and_finds_the_boards(compose: dict[str, Any]) -> None:
    folders = {target: file for file, target in mounts(compose, "grafana")}
    (provider,) = provisioned("dashboards.yaml")["providers"]
    boards = {
        file.name: json.loads(file.read_text())
        for file in folders[provider["options"]["path"]].glob("*.json")
    }
    wanted = {
        variable["query"]
        for board in boards.values()
        for variable in board["templating"]["list"]
        if variable["type"] == "datasource"
    }

    assert sorted(boards) == ["incidents.json", "operations.json"]
    sources = provisioned("datasources.yaml")["datasources"]
    assert wanted == {source["type"] for source in sources}
    addresses = {source["type"]: source["url"] for source in sources}
    assert addresses == {
        "prometheus": "http://prometheus:9090",
        "yesoreyeram-infinity-datasource": f"http://{SERVICE}:8080/graphql",
    }
    assert {url.split("/")[2].split(":")[0] for url in addresses.values()} <= set(compose["services"])
