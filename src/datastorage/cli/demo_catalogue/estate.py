"""The made-up company's clusters and what runs on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kubernetes cluster; its users' working day sets the rhythm of its incidents."""

    name: str
    environment: str
    region: str
    utc_offset_h: int
    weight: float


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that runs, and so can fail. Tags say which scenarios may befall it."""

    name: str
    namespace: str
    team: str
    tags: frozenset[str]


CLUSTERS: Final = (
    Cluster("prod-eu-1", "production", "eu-central", 1, 5.0),
    Cluster("prod-us-1", "production", "us-east", -5, 4.0),
    Cluster("prod-ap-1", "production", "ap-southeast", 8, 2.0),
    Cluster("staging-1", "staging", "eu-central", 1, 2.0),
    Cluster("dev-1", "development", "eu-central", 1, 0.8),
)

# namespace, team: workloads with their tags
_ESTATE: Final = {
    ("checkout", "checkout"): (
        "checkout-api: service jvm sql",
        "cart-service: service nodejs cached",
        "order-worker: service jvm sql kafka-consumer",
        "checkout-db: stateful postgres volume",
        "cart-redis: stateful redis",
    ),
    ("payments", "payments"): (
        "payments-api: service jvm sql upstream",
        "payments-gateway: service go upstream",
        "ledger-writer: service jvm sql kafka-consumer",
        "fraud-scoring: service python cached",
        "payments-db: stateful postgres volume",
        "nightly-settlement: cronjob",
    ),
    ("search", "search"): (
        "search-api: service go cached",
        "search-indexer: service jvm kafka-consumer",
        "recommendation-engine: service python cached",
        "search-elasticsearch: stateful elasticsearch volume",
    ),
    ("identity", "identity"): (
        "identity-api: service go sql",
        "login-frontend: service nodejs",
        "identity-db: stateful postgres volume",
        "session-redis: stateful redis",
        "profiles-mongodb: stateful mongodb volume",
    ),
    ("catalog", "catalog"): (
        "catalog-api: service jvm sql cached",
        "catalog-importer: service python sql",
        "pricing-engine: service go cached",
        "catalog-db: stateful postgres volume",
        "catalog-export: cronjob",
    ),
    ("logistics", "fulfilment"): (
        "shipping-api: service jvm sql upstream",
        "inventory-sync: service python upstream queue-consumer",
        "shipping-db: stateful postgres volume",
        "shipping-rabbitmq: stateful rabbitmq volume",
    ),
    ("messaging", "engagement"): (
        "notification-service: service nodejs queue-consumer",
        "email-worker: service python queue-consumer upstream",
        "notifications-rabbitmq: stateful rabbitmq volume",
    ),
    ("storefront", "storefront"): (
        "web-frontend: service nodejs cached",
        "mobile-bff: service nodejs",
    ),
    ("analytics", "data"): (
        "reporting-api: service python sql",
        "event-collector: service go",
        "report-rollup: cronjob",
    ),
    ("streaming", "data"): (
        "events-kafka: stateful kafka volume",
        "orders-kafka: stateful kafka volume",
    ),
    ("observability", "platform"): (
        "prometheus: stateful volume",
        "logs-elasticsearch: stateful elasticsearch volume",
    ),
    ("kube-system", "platform"): (
        "coredns: dns",
        "etcd: etcd",
        "kube-apiserver: apiserver",
        "worker-nodes: node",
    ),
    ("ingress-nginx", "platform"): ("ingress-nginx-controller: ingress",),
    ("policy-system", "platform"): ("policy-webhook: webhook",),
    ("ci", "developer-experience"): ("ci-runner: ci",),
}


def _workloads() -> Iterator[Workload]:
    for (namespace, team), lines in _ESTATE.items():
        for line in lines:
            name, tags = line.split(": ")
            yield Workload(name, namespace, team, frozenset(tags.split()))


WORKLOADS: Final = tuple(_workloads())
