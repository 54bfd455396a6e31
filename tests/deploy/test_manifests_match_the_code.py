"""Settings, ports, paths, times and sums in the manifests are those that the code has."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.routing import Route

from datastorage import __version__
from datastorage.graphql.schema import build_schema
from datastorage.settings import EmbeddedMode, Settings, load_settings, unknown_variables
from datastorage.web.application import build_application
from support.manifests import OVERLAYS, SERVICE, Manifests, containers, pod, rendered, secret_files

SECRETS = {
    "DATASTORAGE_DATABASE_USER": "datastorage",
    "DATASTORAGE_DATABASE_PASSWORD": "a password",
    "DATASTORAGE_REDIS_URL": "redis://:secret@data-storage-redis:6379/0",
    "DATASTORAGE_VECTOR_ENGINE_TOKEN": "user:password",
    "DATASTORAGE_EMBEDDING_API_KEY": "a key",
}
RESERVED_CONNECTIONS = 3  # superuser_reserved_connections, as PostgreSQL has it
CONNECTIONS_OF_A_MIGRATION = 2
CLOSING_S = 3  # connections, the second engine, the last lines of the log


def mounted(place: Path, files: Mapping[str, str]) -> None:
    """Secret files as the kubelet lays them: links through a folder that it swaps."""
    data = place / "..2026_12_01"
    data.mkdir(parents=True)
    (place / "..data").symlink_to(data.name)
    for name, content in files.items():
        (data / name).write_text(content)
        (data / name).chmod(stat.S_IRUSR | stat.S_IRGRP)
        (place / name).symlink_to(Path("..data", name))


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def manifests(overlay: str) -> Manifests:
    return rendered(overlay)


@pytest.fixture
def settings(manifests: Manifests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a pod of the overlay reads."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DATASTORAGE_")]:
        monkeypatch.delenv(name)
    for name, value in manifests.settings().items():
        monkeypatch.setenv(name, value)
    mounted(tmp_path / "secrets", {name: SECRETS[name] for name in secret_files(manifests.one("Deployment"))})
    monkeypatch.setenv("DATASTORAGE_SECRETS_DIR", str(tmp_path / "secrets"))
    return load_settings()


def test_every_variable_is_a_setting(manifests: Manifests, settings: Settings) -> None:
    fields = {f"DATASTORAGE_{name.upper()}" for name in Settings.model_fields}

    assert unknown_variables() == []
    assert set(secret_files(manifests.one("Deployment"))) <= fields


def test_secrets_are_read_from_their_files(settings: Settings) -> None:
    assert settings.database_user == "datastorage"
    assert settings.database_password is not None
    assert settings.database_password.get_secret_value() == "a password"


def test_secrets_are_mounted_where_the_settings_say(manifests: Manifests) -> None:
    for workload in (manifests.one("Deployment"), manifests.one("Job", "data-storage-migrate")):
        (mount,) = [each for each in containers(workload)[0]["volumeMounts"] if each["name"] == "secrets"]
        assert mount["mountPath"] == manifests.settings()["DATASTORAGE_SECRETS_DIR"]
        assert mount["readOnly"] is True


def test_no_container_stores_on_a_disk_that_vanishes(settings: Settings) -> None:
    assert settings.embedded is EmbeddedMode.OFF
    assert settings.has_database


def test_the_database_is_the_one_in_the_overlay(manifests: Manifests, settings: Settings) -> None:
    services = [each["metadata"]["name"] for each in manifests.of("Service")]
    services += [f"{each['metadata']['name']}-rw" for each in manifests.of("Cluster")]

    assert settings.database_host in services
    for cluster in manifests.of("Cluster"):
        initial = cluster["spec"]["bootstrap"]["initdb"]
        assert (initial["database"], initial["owner"]) == (settings.database_name, settings.database_user)
    for server in manifests.of("StatefulSet"):
        given = {each["name"]: each.get("value") for each in containers(server)[0]["env"]}
        assert given["POSTGRES_DB"] == settings.database_name


def test_ports_are_those_that_the_service_listens_on(manifests: Manifests, settings: Settings) -> None:
    ports = {
        port["name"]: port["containerPort"] for port in containers(manifests.one("Deployment"))[0]["ports"]
    }

    assert ports == {"http": settings.http_port, "metrics": settings.metrics_port}
    assert (settings.http_host, settings.metrics_host) == ("0.0.0.0", "0.0.0.0")  # noqa: S104 -- in a pod


def test_probes_ask_paths_that_exist_and_give_up_after_a_second(manifests: Manifests) -> None:
    container = containers(manifests.one("Deployment"))[0]
    routes = build_application(build_schema(), Settings(_env_file=None)).routes
    paths = {route.path for route in routes if isinstance(route, Route)}

    probes = {name: container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
    asked = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
    assert asked == {"startup": "/health", "liveness": "/health", "readiness": "/ready"}
    assert set(asked.values()) <= paths
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {"http"}
    assert {probe["timeoutSeconds"] for probe in probes.values()} == {1}


def test_a_pod_has_time_to_end_and_endpoints_time_to_notice(manifests: Manifests, settings: Settings) -> None:
    grace_s = pod(manifests.one("Deployment"))["spec"]["terminationGracePeriodSeconds"]
    readiness = containers(manifests.one("Deployment"))[0]["readinessProbe"]

    assert settings.drain_s + settings.shutdown_timeout_s + CLOSING_S <= grace_s <= 30
    assert settings.drain_s > readiness["periodSeconds"] * readiness["failureThreshold"]


def test_the_database_has_connections_for_all_pods_one_more_and_a_migration(
    manifests: Manifests, settings: Settings
) -> None:
    deployment = manifests.one("Deployment")["spec"]
    scaled = [each["spec"]["maxReplicas"] for each in manifests.of("HorizontalPodAutoscaler")]
    pods = max(deployment["replicas"], *scaled, 0) + deployment["strategy"]["rollingUpdate"]["maxSurge"]
    (allowed,) = [
        int(each["spec"]["postgresql"]["parameters"]["max_connections"]) for each in manifests.of("Cluster")
    ] or [
        int(re.search(r"max_connections=(\d+)", " ".join(containers(each)[0]["args"]))[1])
        for each in manifests.of("StatefulSet")
    ]

    wanted = pods * settings.workers * settings.pool_size + CONNECTIONS_OF_A_MIGRATION
    assert wanted <= allowed - RESERVED_CONNECTIONS


def test_the_image_is_this_release(manifests: Manifests) -> None:
    images = {
        containers(each)[0]["image"]
        for each in (manifests.one("Deployment"), manifests.one("Job", "data-storage-migrate"))
    }

    (image,) = images
    assert image.rpartition("/")[2] == f"{SERVICE}:{__version__}"


def test_only_development_lets_anybody_in(overlay: str, settings: Settings) -> None:
    assert settings.anybody_may is settings.insecure is (overlay == "development")
