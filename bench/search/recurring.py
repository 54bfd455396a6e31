"""Incidents as they recur: the same faults of the same services, while pods, ids, addresses and numbers vary."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

FAULTS = (
    ("Pod keeps restarting", "Back-off restarting failed container {service} in pod {pod}_{ns}({uid})"),
    (
        "Container out of memory",
        "Memory cgroup out of memory: Killed process {n} ({service}) total-vm:{n}kB, anon-rss:{n}kB",
    ),
    (
        "Readiness probe failed",
        'Readiness probe failed: Get "http://{ip}:8080/ready": context deadline exceeded after {ms}ms',
    ),
    (
        "Database refuses connections",
        "dial tcp {ip}:5432: connect: connection refused, attempt {n} of {n} by {pod}",
    ),
    ("Volume fills up", "PersistentVolumeClaim data-{service}-{d} is {d}% full, {n}MiB of {n}MiB used"),
    (
        "Image cannot be pulled",
        'Failed to pull image "registry.local/{service}@sha256:{hex}": manifest unknown',
    ),
    (
        "Certificate expires",
        "x509: certificate has expired: current time {time} is after {time}, serial {hex}",
    ),
    ("Queue grows", "consumer group {service} lags {n} messages behind on partition {d}, oldest is {n}s old"),
    ("Upstream answers slowly", "upstream {ip}:{n} took {ms}ms, request id {uid}, trace {hex}"),
    ("Node not ready", "Kubelet stopped posting node status: node-{d}.{ns}.internal, last heartbeat {time}"),
    (
        "Unhandled exception",
        "java.lang.IllegalStateException: order {uid} is in state {n}\n    at shop.Order.pay(Order.java:{d})\n    at shop.Cart.checkout(Cart.java:{d})",
    ),
    (
        "Deployment does not progress",
        'ReplicaSet "{service}-{hex5}" has timed out progressing; {d} of {d} replicas are available',
    ),
)
SERVICES = tuple(
    f"{team}-{part}"
    for team in ("checkout", "ledger", "search", "catalog", "identity", "shipping", "billing", "media")
    for part in ("api", "worker", "gateway", "cache", "db")
)
ACTIONS = ("restart_pod", "scale_up", "rollback_deployment")


def recurring(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """So many incidents; some faults of some services are far more frequent than others."""
    pick = random.Random(seed)
    kinds = [(fault, service, pick.choice(ACTIONS)) for fault in FAULTS for service in SERVICES]
    pick.shuffle(kinds)
    weights = [1 / (rank + 1) ** 0.7 for rank in range(len(kinds))]
    for number, ((headline, message), service, action) in enumerate(pick.choices(kinds, weights, k=count)):
        yield {
            "remediation_request_id": str(uuid.UUID(int=pick.getrandbits(128), version=4)),
            "name": f"{service}-{number}",
            "namespace": service.split("-")[0],
            "phase": "pending",
            "action_type": action,
            "start_time": f"2026-10-{1 + number % 28:02}T12:00:00Z",
            "alert_fingerprint": f"fp-{number}",
            "severity": "high",
            "environment": "production",
            "cluster_name": "prod-1",
            "target_resource": f"Deployment/{service}",
            "error_message": message.format(**_varying(pick, service)),
            "metadata": {"title": headline},
        }


def _varying(pick: random.Random, service: str) -> dict[str, Any]:
    hexadecimal = f"{pick.getrandbits(256):064x}"
    suffix = "".join(pick.choices("bcdfghjklmnpqrstvwxz2456789", k=10))
    return {
        "service": service,
        "ns": service.split("-", maxsplit=1)[0],
        "pod": f"{service}-{suffix[:9]}-{suffix[5:]}",
        "uid": uuid.UUID(int=pick.getrandbits(128), version=4),
        "ip": ".".join(str(pick.randrange(256)) for _ in range(4)),
        "n": pick.randrange(1000, 10**6),
        "d": pick.randrange(1, 100),
        "ms": pick.randrange(100, 60_000),
        "hex": hexadecimal,
        "hex5": suffix,
        "time": f"2026-{pick.randrange(1, 13):02}-{pick.randrange(1, 29):02}T{pick.randrange(24):02}:{pick.randrange(60):02}:00Z",
    }
