"""Plain numbers that are handed over to Prometheus' own before they are read."""

import random
import sys
import threading

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from datastorage.observability import tallies
from datastorage.observability.labels import QueryOperation, Table
from datastorage.observability.metrics import count_writes, query_observed
from datastorage.observability.tallies import Count, Durations, Level

BOUNDS = (0.005, 0.05, 0.5)
THREADS, TIMES = 4, 50_000


def series(registry: CollectorRegistry) -> dict[str, float]:
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


def test_durations_come_to_the_same_as_observed_one_by_one() -> None:
    tallied, observed = CollectorRegistry(), CollectorRegistry()
    histogram = Histogram("a", "A.", buckets=BOUNDS, registry=observed)
    durations = Durations(Histogram("a", "A.", buckets=BOUNDS, registry=tallied), BOUNDS)
    chance = random.Random(1)
    seconds = [*BOUNDS, 0.0, 7.0, *(chance.expovariate(10) for _ in range(100))]

    for number, one in enumerate(seconds):
        durations.add(one)
        histogram.observe(one)
        if number % 40 == 0:
            durations.hand_over()
    durations.add(0.02, times=3)
    for _ in range(3):
        histogram.observe(0.02)
    durations.hand_over()

    assert series(tallied) == {key: round_to(value) for key, value in series(observed).items()}


class round_to(float):  # noqa: N801
    """Equal but for what adding in another order leaves."""

    __hash__ = float.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(self - other) < 1e-9


def test_counts_and_levels_are_handed_over_once() -> None:
    registry = CollectorRegistry()
    count, level = Count(Counter("a", "A.", registry=registry)), Level(Gauge("b", "B.", registry=registry))

    count.add()
    count.add(4)
    level.up()
    level.up()
    level.down()
    tallies.hand_over()
    tallies.hand_over()

    assert series(registry) == {"a_total": 5, "b": 1}


def test_nothing_is_lost_between_threads_while_it_is_handed_over() -> None:
    registry = CollectorRegistry()
    count = Count(Counter("a", "A.", registry=registry))
    durations = Durations(Histogram("b", "B.", buckets=BOUNDS, registry=registry), BOUNDS)

    def work() -> None:
        for _ in range(TIMES):
            count.add()
            durations.add(0.01)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            count.hand_over()
            durations.hand_over()
    finally:
        sys.setswitchinterval(before)
    count.hand_over()
    durations.hand_over()

    assert series(registry)["a_total"] == series(registry)["b_count"] == THREADS * TIMES


def test_whoever_reads_the_registry_reads_what_was_counted_just_before() -> None:
    labels = {"table": "workflow_audit", "status": "success"}
    before = REGISTRY.get_sample_value("datastorage_write_total", labels) or 0

    count_writes(Table.WORKFLOW, succeeded=2, seconds=0.1)

    assert REGISTRY.get_sample_value("datastorage_write_total", labels) == before + 2


def test_many_measurements_leave_no_more_series_than_a_few() -> None:
    def measure(times: int) -> int:
        for _ in range(times):
            count_writes(Table.EXECUTION, succeeded=1, seconds=0.2)
            with query_observed(QueryOperation.GET):
                pass
        return len(series(REGISTRY))

    assert measure(1) == measure(20_000)
