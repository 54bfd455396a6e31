"""Every object is what the Kubernetes API takes, and as locked down as the strictest namespace wants it."""

import kubernetes_validate
import pytest

from support.manifests import OVERLAYS, Object, containers, pod, rendered

VERSIONS = ("1.29", "1.37")
OF_OPERATORS = {
    "development": set(),
    "production": {
        "postgresql.cnpg.io/v1 Cluster",
        "postgresql.cnpg.io/v1 ScheduledBackup",
        "barmancloud.cnpg.io/v1 ObjectStore",
        "external-secrets.io/v1 ExternalSecret",
        "monitoring.coreos.com/v1 ServiceMonitor",
        "monitoring.coreos.com/v1 PrometheusRule",
    },
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_fits_the_schema_of_its_kind(overlay: str, version: str) -> None:
    unknown = set()
    for manifest in rendered(overlay).objects:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            unknown.add(f"{manifest['apiVersion']} {manifest['kind']}")

    assert unknown == OF_OPERATORS[overlay]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_lies_in_one_namespace_and_no_name_is_used_twice(overlay: str) -> None:
    objects = rendered(overlay).objects
    unscoped = {"Namespace", "ClusterRoleBinding"}
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]

    assert {each["metadata"].get("namespace") for each in objects if each["kind"] not in unscoped} == {
        "data-storage"
    }
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_pod_has_more_than_it_needs(overlay: str) -> None:
    for workload in rendered(overlay).workloads():
        assert faults_of_pod(pod(workload)["spec"]) == []
        assert [fault for container in containers(workload) for fault in faults_of_container(container)] == []


def faults_of_pod(spec: Object) -> list[str]:
    wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    faults = [name for name, value in wanted.items() if spec["securityContext"].get(name) != value]
    faults += [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return faults + ["hostPath" for volume in spec["volumes"] if "hostPath" in volume]


def faults_of_container(container: Object) -> list[str]:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    faults = [name for name, value in wanted.items() if container["securityContext"].get(name) != value]
    named = container["image"].rpartition(":")[2]
    faults += ["image" for tag in ("latest", container["image"]) if named == tag]
    return faults + [name for name in ("cpu", "memory") if name not in container["resources"]["requests"]]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_the_service_gets_a_token_of_the_cluster(overlay: str) -> None:
    holders = [
        workload["metadata"]["name"]
        for workload in rendered(overlay).workloads()
        if pod(workload)["spec"]["automountServiceAccountToken"]
    ]

    assert holders == ["data-storage-service"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_stands_in_a_manifest(overlay: str) -> None:
    manifests = rendered(overlay)

    assert manifests.of("Secret") == []
    words = ("PASSWORD", "TOKEN", "API_KEY", "REDIS_URL", "DATABASE_URL")
    assert [name for name in manifests.settings() if name.endswith(words)] == []
