"""What refers to something finds it: selectors, ports, names, accounts, secrets."""

import pytest

from support.manifests import OVERLAYS, SERVICE, containers, labels, pod, rendered, secret_files, selects

NEEDS_SELECTOR = ("Deployment", "StatefulSet")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_service_is_three_pods_with_its_label(overlay: str) -> None:
    deployment = rendered(overlay).one("Deployment")

    assert deployment["spec"]["replicas"] == 3
    assert labels(deployment) == {"app": SERVICE}
    assert deployment["metadata"]["labels"]["app"] == SERVICE


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_workload_selects_its_own_pods_and_no_others(overlay: str) -> None:
    workloads = list(rendered(overlay).workloads())
    for each in workloads:
        if each["kind"] in NEEDS_SELECTOR:
            chosen = [other for other in workloads if selects(each["spec"]["selector"], labels(other))]
            assert chosen == [each]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_service_leads_to_one_workload_and_to_ports_that_it_has(overlay: str) -> None:
    manifests = rendered(overlay)
    for service in manifests.of("Service"):
        (target,) = [
            each
            for each in manifests.workloads()
            if selects({"matchLabels": service["spec"]["selector"]}, labels(each))
        ]
        ports = {port["name"]: port["containerPort"] for c in containers(target) for port in c["ports"]}
        assert target["metadata"]["name"] == service["metadata"]["name"]
        assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == ports


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_budget_keeps_pods_of_the_service_alone(overlay: str) -> None:
    manifests = rendered(overlay)
    budget = manifests.one("PodDisruptionBudget")["spec"]

    assert budget["maxUnavailable"] == 1
    chosen = [each for each in manifests.workloads() if selects(budget["selector"], labels(each))]
    assert chosen == [manifests.one("Deployment")]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_spread_over_zones_and_nodes(overlay: str) -> None:
    deployment = rendered(overlay).one("Deployment")
    spread = pod(deployment)["spec"]["topologySpreadConstraints"]

    assert [each["topologyKey"] for each in spread] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    assert all(selects(each["labelSelector"], labels(deployment)) for each in spread)


def test_the_autoscaler_scales_the_deployment_from_three_pods_on() -> None:
    manifests = rendered("production")
    spec = manifests.one("HorizontalPodAutoscaler")["spec"]

    target = manifests.one("Deployment")
    assert spec["scaleTargetRef"] == {
        "apiVersion": target["apiVersion"],
        "kind": "Deployment",
        "name": target["metadata"]["name"],
    }
    assert spec["minReplicas"] == target["spec"]["replicas"]


def test_prometheus_scrapes_the_metrics_port_of_the_service_and_may_look_for_it() -> None:
    manifests = rendered("production")
    spec = manifests.one("ServiceMonitor")["spec"]

    (found,) = [s for s in manifests.of("Service") if selects(spec["selector"], s["metadata"]["labels"])]
    (endpoint,) = spec["endpoints"]
    assert found["metadata"]["name"] == SERVICE
    assert endpoint["port"] in {port["name"] for port in found["spec"]["ports"]}
    rules = manifests.one("Role", f"{SERVICE}-scrape")["rules"]
    assert {resource for rule in rules for resource in rule["resources"]} == {
        "services",
        "endpoints",
        "pods",
        "endpointslices",
    }
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_prometheus_selects_scrape_and_alerts_by_one_label() -> None:
    manifests = rendered("production")

    assert {
        each["metadata"]["labels"]["release"]
        for kind in ("ServiceMonitor", "PrometheusRule")
        for each in manifests.of(kind)
    } == {"prometheus"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_account_may_have_tokens_reviewed_and_nothing_else(overlay: str) -> None:
    manifests = rendered(overlay)
    (binding,) = manifests.of("ClusterRoleBinding")
    account = {"kind": "ServiceAccount", "name": SERVICE, "namespace": "data-storage"}

    assert binding["roleRef"]["name"] == "system:auth-delegator"
    assert binding["subjects"] == [account]
    assert pod(manifests.one("Deployment"))["spec"]["serviceAccountName"] == SERVICE
    assert manifests.one("ServiceAccount")["automountServiceAccountToken"] is False
    others = [subject for each in manifests.of("RoleBinding") for subject in each["subjects"]]
    assert account not in others


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_binding_has_its_role_and_each_role_names_what_exists(overlay: str) -> None:
    manifests = rendered(overlay)
    names = {each["metadata"]["name"] for each in manifests.objects}

    assert {each["roleRef"]["name"] for each in manifests.of("RoleBinding")} == {
        each["metadata"]["name"] for each in manifests.of("Role")
    }
    for role in manifests.of("Role"):
        assert {name for rule in role["rules"] for name in rule.get("resourceNames", ())} <= names


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_migration_runs_the_image_and_the_settings_of_the_service_and_gets_no_requests(
    overlay: str,
) -> None:
    manifests = rendered(overlay)
    job, deployment = manifests.one("Job", "data-storage-migrate"), manifests.one("Deployment")

    (migrating,), (serving,) = containers(job), containers(deployment)
    assert (migrating["args"], serving["args"]) == (["migrate"], ["serve"])
    assert migrating["image"] == serving["image"]
    assert migrating["envFrom"] == serving["envFrom"]
    assert secret_files(job) == secret_files(deployment)
    assert not selects({"matchLabels": manifests.one("Service")["spec"]["selector"]}, labels(job))


def test_every_secret_is_made_by_an_operator() -> None:
    manifests = rendered("production")
    made = {
        (each["spec"]["target"]["name"], key)
        for each in manifests.of("ExternalSecret")
        for key in each["spec"]["target"].get("template", {}).get("data")
        or [entry["secretKey"] for entry in each["spec"]["data"]]
    }
    cluster = manifests.one("Cluster", "data-storage-postgresql")["metadata"]["name"]
    made |= {(f"{cluster}-app", "username"), (f"{cluster}-app", "password"), (f"{cluster}-ca", "ca.crt")}

    assert set(secrets_used()) == made


def secrets_used() -> set[tuple[str, str]]:
    """Every Secret and key that something in production reads."""
    manifests = rendered("production")
    used = {secret for workload in manifests.workloads() for secret in secret_files(workload).values()}
    used |= {
        (volume["secret"]["secretName"], item["key"])
        for workload in manifests.workloads()
        for volume in pod(workload)["spec"]["volumes"]
        if "secret" in volume
        for item in volume["secret"]["items"]
    }
    (store,) = manifests.of("ObjectStore")
    return used | {
        (given["name"], given["key"]) for given in store["spec"]["configuration"]["s3Credentials"].values()
    }


def test_a_write_is_acknowledged_by_two_of_three_instances() -> None:
    spec = rendered("production").one("Cluster", "data-storage-postgresql")["spec"]

    assert spec["instances"] == 3
    assert spec["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}
    assert "CREATE EXTENSION vector" in spec["bootstrap"]["initdb"]["postInitApplicationSQL"]


def test_wal_and_nightly_backups_go_to_the_store_that_is_declared() -> None:
    manifests = rendered("production")
    (store,) = manifests.of("ObjectStore")
    (nightly,) = manifests.of("ScheduledBackup")
    cluster = manifests.one("Cluster", "data-storage-postgresql")

    (plugin,) = cluster["spec"]["plugins"]
    assert plugin["isWALArchiver"] is True
    assert plugin["parameters"]["barmanObjectName"] == store["metadata"]["name"]
    assert nightly["spec"]["cluster"]["name"] == cluster["metadata"]["name"]
    assert nightly["spec"]["pluginConfiguration"]["name"] == plugin["name"]
