"""Who may talk to whom: the policies of an overlay, added up as a network does it."""

from collections.abc import Iterator
from typing import Any

import pytest

from support.manifests import OVERLAYS, SERVICE, Manifests, labels, rendered, selects

MIGRATION = "data-storage-migrate"
DNS = {
    ("namespace kube-system, pods k8s-app=kube-dns", "UDP", 53),
    ("namespace kube-system, pods k8s-app=kube-dns", "TCP", 53),
}
CLIENTS = {("namespace with data-storage-client=true", "TCP", 8080)}
Way = tuple[str, str, int]


def ways(manifests: Manifests, workload: str, direction: str) -> set[Way]:
    """Peer, protocol and port of everything that pods of a workload may send to, or be sent from."""
    return set(_ways(manifests, workload, direction))


def _ways(manifests: Manifests, workload: str, direction: str) -> Iterator[Way]:
    (worn,) = [labels(each) for each in manifests.workloads() if each["metadata"]["name"] == workload]
    for policy in manifests.of("NetworkPolicy"):
        if not selects(policy["spec"]["podSelector"], worn):
            continue
        for rule in policy["spec"].get(direction.lower(), ()):
            for peer in rule["to" if direction == "Egress" else "from"]:
                for port in rule["ports"]:
                    yield said(peer), port["protocol"], port["port"]


def said(peer: dict[str, Any]) -> str:
    """A peer in words."""
    if "ipBlock" in peer:
        return f"addresses {peer['ipBlock']['cidr']}"
    parts = []
    if "namespaceSelector" in peer:
        (label,) = peer["namespaceSelector"]["matchLabels"].items()
        by_name = label[0] == "kubernetes.io/metadata.name"
        parts.append(f"namespace {label[1]}" if by_name else f"namespace with {label[0]}={label[1]}")
    selector = peer.get("podSelector", {})
    parts += [f"pods {name}={value}" for name, value in selector.get("matchLabels", {}).items()]
    parts += [f"pods {each['key']} in {each['values']}" for each in selector.get("matchExpressions", ())]
    return ", ".join(parts)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_no_policy_names_is_refused_both_ways(overlay: str) -> None:
    manifests = rendered(overlay)
    for workload in manifests.workloads():
        types = {
            direction
            for policy in manifests.of("NetworkPolicy")
            if selects(policy["spec"]["podSelector"], labels(workload))
            for direction in policy["spec"]["policyTypes"]
        }
        assert types == {"Ingress", "Egress"}, workload["metadata"]["name"]


def test_the_service_in_production_reaches_what_it_is_configured_with_and_nothing_else() -> None:
    assert ways(rendered("production"), SERVICE, "Egress") == {
        *DNS,
        ("pods cnpg.io/cluster=data-storage-postgresql", "TCP", 5432),
        ("pods app=data-storage-redis", "TCP", 6379),
        ("namespace milvus, pods app.kubernetes.io/name=milvus", "TCP", 19530),
        ("namespace embedding, pods app=text-embeddings", "TCP", 8080),
        ("addresses 10.96.0.1/32", "TCP", 443),
        ("addresses 10.0.0.0/28", "TCP", 6443),
    }


def test_the_service_in_production_is_reached_by_clients_and_prometheus_only() -> None:
    assert ways(rendered("production"), SERVICE, "Ingress") == {
        *CLIENTS,
        ("namespace monitoring, pods app.kubernetes.io/name=prometheus", "TCP", 9090),
    }


def test_a_migration_in_production_reaches_the_database_only() -> None:
    production = rendered("production")

    assert ways(production, MIGRATION, "Egress") == {
        *DNS,
        ("pods cnpg.io/cluster=data-storage-postgresql", "TCP", 5432),
    }
    assert ways(production, MIGRATION, "Ingress") == set()


def test_in_development_there_is_the_database_only() -> None:
    development = rendered("development")

    for workload in (SERVICE, MIGRATION):
        assert ways(development, workload, "Egress") == {
            *DNS,
            ("pods app=data-storage-postgresql", "TCP", 5432),
        }
    assert ways(development, SERVICE, "Ingress") == CLIENTS


@pytest.mark.parametrize(
    ("overlay", "server", "port", "users"),
    [
        ("development", "data-storage-postgresql", 5432, f"pods app in ['{SERVICE}', '{MIGRATION}']"),
        ("production", "data-storage-redis", 6379, f"pods app={SERVICE}"),
    ],
)
def test_a_server_that_comes_along_is_reached_by_its_users_and_reaches_nobody(
    overlay: str, server: str, port: int, users: str
) -> None:
    manifests = rendered(overlay)

    assert ways(manifests, server, "Ingress") == {(users, "TCP", port)}
    assert ways(manifests, server, "Egress") == set()
