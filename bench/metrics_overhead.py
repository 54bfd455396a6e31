"""What measuring costs: nanoseconds a call, the share of a request, and whether a million calls leave anything behind.

    python bench/metrics_overhead.py            # one process
    python bench/metrics_overhead.py --workers  # values in the files that several workers share

A request is what the fastest list query takes, 6,800 a second: less would make the share look smaller.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable

import psutil

CALLS = 100_000
GROWTH_CALLS = 1_000_000
REQUEST_NS = 1e9 / 6_800


def main() -> None:
    """Prints a line for each measurement, and what a request of each kind pays in all."""
    from datastorage.errors import FaultReason  # noqa: PLC0415 -- the variable must be set before
    from datastorage.observability import metrics as m  # noqa: PLC0415
    from datastorage.observability.labels import (  # noqa: PLC0415
        Executor,
        QueryOperation,
        Sanitization,
        Table,
    )

    def query() -> None:
        with m.query_observed(QueryOperation.LIST):
            pass

    def in_flight() -> None:
        m.REQUESTS_IN_FLIGHT.inc()
        m.REQUESTS_IN_FLIGHT.dec()

    calls: dict[str, Callable[[], object]] = {
        "nothing (the loop itself)": lambda: None,
        "requests in flight, up and down": in_flight,
        "executor of an operation": lambda: m.count_execution(Executor.COMPILED),
        "query counted and timed": query,
        "write counted and timed": lambda: m.count_writes(Table.REMEDIATION, succeeded=1, seconds=0.003),
        "dual write counted": m.DUALWRITE_SUCCESS.inc,
        "cache hit counted": m.CACHE_HITS.inc,
        "refused field counted": lambda: m.count_fault("name", FaultReason.INVALID),
        "change of free text counted": lambda: m.count_sanitizations(Sanitization.TRIMMED),
    }
    cost = {name: nanoseconds(call) for name, call in calls.items()}
    loop = cost["nothing (the loop itself)"]
    for name, taken in cost.items():
        print(f"{name:36} {taken:8.0f} ns")
    of_each = ("requests in flight, up and down", "executor of an operation")
    parts = {
        "query": (*of_each, "query counted and timed"),
        "write": (*of_each, "write counted and timed", "dual write counted", "cache hit counted"),
    }
    for kind, names in parts.items():
        total = sum(cost[name] - loop for name in names)
        print(f"a {kind} request pays {total:,.0f} ns, {100 * total / REQUEST_NS:.2f} % of the fastest request")
    before, after = (footprint(query, calls) for _ in range(2))
    print(f"{GROWTH_CALLS:,} calls: {after[0] - before[0]:+d} series, {(after[1] - before[1]) / 1024:+.0f} KiB")


def nanoseconds(call: Callable[[], object]) -> float:
    """Of processor time, the best of five: what is more is the machine's doing."""
    best = float("inf")
    for _ in range(5):
        started = time.thread_time_ns()
        for _ in range(CALLS):
            call()
        best = min(best, (time.thread_time_ns() - started) / CALLS)
    return best


def footprint(query: Callable[[], object], calls: dict[str, Callable[[], object]]) -> tuple[int, int]:
    """Series and resident bytes after so many calls of all kinds."""
    for call in (query, *calls.values()):
        for _ in range(GROWTH_CALLS // (len(calls) + 1)):
            call()
    gc.collect()
    from prometheus_client import REGISTRY  # noqa: PLC0415

    series = sum(len(metric.samples) for metric in REGISTRY.collect())
    return series, psutil.Process().memory_info().rss


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", action="store_true", help="as in a worker process of several")
    if arguments.parse_args().workers and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        with tempfile.TemporaryDirectory() as files:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = files
            sys.exit(main())
    main()
