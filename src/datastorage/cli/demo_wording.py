"""Fills the templates of the demo catalogue with the words of one incident.

Tokens are those of `str.format`: `{pod}`, `{node}`, `{ip}` … and, new wherever they stand,
`{number:200..900}`, `{number:1.5..9.9}` and `{hex:12}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final, TypeAlias, TypeVar

from datastorage.cli.demo_catalogue import WORKLOADS, Cluster, Workload
from datastorage.cli.demo_catalogue.scenario import Parameter

T = TypeVar("T")
Words: TypeAlias = Mapping[str, object]

NODES: Final = 9  # of each cluster
MEMORY: Final = (("256Mi", "512Mi"), ("512Mi", "1Gi"), ("768Mi", "1536Mi"), ("1Gi", "2Gi"), ("2Gi", "4Gi"))
TOPICS: Final = ("orders.created", "payments.settled", "stock.changed", "catalog.updated", "user.events")
# Letters of the random part of a pod's name: no vowels, so that no word comes about.
POD_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"


class _Number:
    def __init__(self, random: Random) -> None:
        self._random = random

    def __format__(self, bounds: str) -> str:
        low, high = bounds.split("..")
        decimals = len(low.partition(".")[2])
        if decimals:
            return f"{self._random.uniform(float(low), float(high)):.{decimals}f}"
        return str(self._random.randint(int(low), int(high)))


class _Hex:
    def __init__(self, random: Random) -> None:
        self._random = random

    def __format__(self, digits: str) -> str:
        return f"{self._random.getrandbits(4 * int(digits)):0{digits}x}"


def place_words(place: Random, cluster: Cluster, workload: Workload) -> dict[str, object]:
    """Words that stay the same whenever the same thing fails at the same place; `place` is seeded by it."""
    memory, more_memory = place.choice(MEMORY)
    replicas = place.randint(2, 5)
    major, minor = place.randint(1, 4), place.randint(2, 30)
    peer = place.choice(_peers(workload))
    return {
        "cluster": cluster.name,
        "workload": workload.name,
        "namespace": workload.namespace,
        "peer": peer.name,
        "peer_namespace": peer.namespace,
        "peer_class": "".join(word.capitalize() for word in peer.name.split("-")),
        "topic": place.choice(TOPICS),
        "zone": cluster.region + "-" + place.choice("abc"),
        "memory": memory,
        "more_memory": more_memory,
        "replicas": str(replicas),
        "more_replicas": str(2 * replicas),
        "version": f"{major}.{minor}.{place.randint(0, 9)}",
        "previous_version": f"{major}.{minor - 1}.{place.randint(0, 9)}",
    }


def episode_words(random: Random, cluster: Cluster) -> dict[str, object]:
    """Words that stay the same until the failure is over. Some machines fail more often than others."""
    return {
        "node": f"{cluster.name}-worker-{skewed(random, range(1, NODES + 1)):02d}",
        "ordinal": str(skewed(random, range(3))),
    }


def attempt_words(random: Random, workload: Workload, start: datetime) -> dict[str, object]:
    """Words that are new in each attempt: the volatile tokens of logs."""
    seen = start - timedelta(milliseconds=random.randint(2_000, 90_000))
    hashes = ("".join(random.choices(POD_LETTERS, k=length)) for length in (9, 5))
    return {
        "pod": "-".join((workload.name, *hashes)),
        "ip": f"10.{random.randint(0, 99)}.{random.randint(0, 255)}.{random.randint(2, 254)}",
        "uuid": "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}".format(
            *map(random.getrandbits, (32, 16, 12, 12, 48))
        ),
        "stamp": seen.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "number": _Number(random),
        "hex": _Hex(random),
    }


def filled(template: str, words: Words) -> str:
    """The template with its tokens replaced."""
    return template.format_map(words)


def filled_parameters(parameters: Mapping[str, Parameter], words: Words) -> dict[str, Parameter]:
    """Parameters of an action; only its strings are templates."""
    return {
        name: filled(value, words) if isinstance(value, str) else value for name, value in parameters.items()
    }


def skewed(random: Random, items: Sequence[T]) -> T:
    """An item, the first ones far more often."""
    return items[int(random.random() ** 2 * len(items))]


def _peers(workload: Workload) -> list[Workload]:
    """What it may depend on, or what depends on it."""
    services = [other for other in WORKLOADS if "service" in other.tags and other is not workload]
    near = [other for other in services if other.namespace == workload.namespace]
    return services if "service" in workload.tags or not near else near
