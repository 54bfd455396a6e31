import pytest

from bench.speed import pgbench, wrk
from bench.speed.spelling import normal

WRK = """Running 2s test @ http://127.0.0.1:18099/graphql
  1 threads and 16 connections
RESULT {"requests": 1000, "duration_us": 2000000, "p50_us": 4000, "p95_us": 9500, "p99_us": 20100, \
"looked_at": 1000, "bad": 0, "broken": 0}
"""


def test_reads_what_the_script_of_wrk_prints() -> None:
    seen = wrk.read(WRK)

    assert (seen.per_s, seen.p50_ms, seen.p95_ms, seen.p99_ms, seen.bad) == (500, 4.0, 9.5, 20.1, 0)


def test_bad_answers_and_broken_connections_count_together_with_a_sample() -> None:
    output = WRK.replace('"bad": 0, "broken": 0', '"bad": 2, "broken": 1') + 'SAMPLE {"errors": []}\n'

    seen = wrk.read(output)

    assert (seen.bad, seen.sample) == (3, '{"errors": []}')


def test_a_client_that_measured_nothing_says_why() -> None:
    with pytest.raises(wrk.RunFailed, match="unable to connect"):
        wrk.read("", "unable to connect to 127.0.0.1:1")
    with pytest.raises(wrk.RunFailed, match="syntax error"):
        pgbench.read("", "syntax error at or near", [], 2)


def test_reads_what_pgbench_prints_and_logs() -> None:
    output = "number of transactions actually processed: 300\nnumber of failed transactions: 1 (0.33%)\n"

    seen = pgbench.read(output, "", [float(number) for number in range(1, 101)], 2)

    assert (seen.per_s, seen.p50_ms, seen.bad) == (150, 50.5, 1)


def test_spells_the_answers_of_all_peers_alike() -> None:
    ours = {"databaseId": 7, "phase": "FAILED", "startTime": "2026-11-01T10:00:00Z", "name": "failed"}
    theirs = {
        "databaseId": "7",
        "phase": "failed",
        "startTime": "2026-11-01T11:00:00+01:00",
        "name": "failed",
    }

    assert normal({"nodes": [ours], "__typename": "Page"}) == normal({"nodes": [theirs]})
