"""`datastorage import` as a process: what is stored, what is rejected and why, and what an interruption costs."""

import gzip
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import URL

from datastorage.domain.names import snake
from support.around import ANALYSIS, EXECUTION, WORKFLOW, around
from support.command_line import CommandLine, Ended
from support.postgres import administrator
from support.records import remediation_input
from support.service import (
    COMMAND,
    PATIENCE_S,
    Service,
    environment,
    postgres_processes,
    variables,
    wait_until,
)

MIB = 1024 * 1024


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts an import; whatever the test does, it ends."""
    started: list[subprocess.Popen[str]] = []

    def start(given: dict[str, str], *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, "import", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=given,
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=PATIENCE_S)
    return Ended(process.returncode, out, err)


@pytest.fixture
def import_(commands: CommandLine) -> Callable[..., Ended]:
    """Runs an import to its end."""

    def run(given: dict[str, str], *arguments: object) -> Ended:
        return commands.run("import", *map(str, arguments), variables=given | {"COLUMNS": "80"})

    return run


def record(number: int, **fields: Any) -> str:
    return json.dumps(remediation_input(remediationRequestId=f"rr-{number}", **fields))


def records(count: int) -> str:
    return "".join(f"{record(number)}\n" for number in range(count))


async def stored(sql: asyncpg.Connection) -> int:
    return await sql.fetchval("SELECT count(*) FROM remediation_audit")


async def until_stored(sql: asyncpg.Connection, rows_min: int, process: subprocess.Popen[str]) -> None:
    while await stored(sql) < rows_min:
        assert process.poll() is None, process.stderr.read()


# --- good lines and bad ones


async def test_good_lines_are_stored_and_bad_ones_are_told_with_number_and_reason(
    import_: Callable[..., Ended],
    own_database: URL,
    sql_own: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    longest = record(6, metadata={"pad": ""}).replace('""', '"' + "x" * 60_000 + '"')
    lines = [
        b"\xef\xbb\xbf" + record(1).encode(),  # 1: a byte order mark
        b"",
        b"   ",
        record(2, severity="high", phase="Processing").encode() + b"\r",  # 4
        json.dumps({"record": "remediationAudit", **json.loads(record(3))}).encode(),  # 5
        b"{",  # 6
        b"[1]",  # 7
        b'"\xff\xfe"',  # 8
        json.dumps({"record": "workflow\tAudit"}).encode(),  # 9
        record(4, name="<script>", severity="AWFUL", **{"no\tsuch\nfield": 1}).encode(),  # 10
        record(5, namespace=None).encode(),  # 11
        record(1, severity="LOW").encode(),  # 12: a conflict with line 1
        b'{"name": "' + b"x" * 2 * MIB + b'"}',  # 13
        b" " * MIB + record(7).encode(),  # 14
        longest.encode(),  # 15
    ]
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes(b"\n".join(lines))  # the last line has no end
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress((record(20) + "\n" + record(21) + "\n" + record(20) + "\n").encode()))
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    report = tmp_path / "rejected.tsv"

    first = import_(variables(own_database), mixed, empty, packed, "--rejected", report)
    told = report.read_text()
    second = import_(variables(own_database), packed, mixed)

    assert (first.code, first.out) == (1, "stored 6, already there 1, rejected 9\n")
    keys = await sql_own.fetch("SELECT remediation_request_id FROM remediation_audit ORDER BY id")
    assert {row[0] for row in keys} == {"rr-1", "rr-2", "rr-3", "rr-6", "rr-20", "rr-21"}
    row = await sql_own.fetchrow(
        "SELECT severity, phase FROM remediation_audit WHERE remediation_request_id = 'rr-2'"
    )
    assert tuple(row) == ("high", "processing")
    reasons = [line.split("\t") for line in told.splitlines()]
    assert [(source, int(number)) for source, number, _ in reasons] == [
        (str(mixed), number) for number in (6, 7, 8, 9, 10, 11, 12, 13, 14)
    ]
    by_line = {int(number): reason for _, number, reason in reasons}
    assert by_line[6].startswith("line: is no JSON: ")
    assert by_line[7] == "line: is no JSON object"
    assert by_line[8].startswith("line: is no JSON: ")
    assert by_line[9] == (
        "record: is of an unknown kind; expected one of "
        "remediationAudit, aiAnalysisAudit, workflowAudit, executionAudit"
    )
    assert "name: " in by_line[10]
    assert "severity: " in by_line[10]
    assert "no such field: is no field of this record" in by_line[10]
    assert by_line[11] == "namespace: is required"
    assert "rr-1" in by_line[12]
    assert by_line[13] == by_line[14] == "line: is longer than 1048576 bytes"
    for _, number, reason in reasons:
        assert f"{mixed}:{number}: {reason}\n" in first.err
    assert (second.code, second.out) == (1, "stored 0, already there 7, rejected 9\n")
    assert "Traceback" not in first.err + second.err


async def test_a_file_may_mix_kinds_in_any_order(
    import_: Callable[..., Ended], own_database: URL, sql_own: asyncpg.Connection, tmp_path: Path
) -> None:
    # given
    cause = {"rootCause": "the certificate has expired"}
    lines = [
        json.dumps({"record": "executionAudit", **EXECUTION}),
        json.dumps({**WORKFLOW, "record": "workflowAudit"}),
        json.dumps({"record": "executionAudit", **EXECUTION, "executionId": " "}),
        record(1),
        json.dumps({"record": "aiAnalysisAudit", **ANALYSIS, **cause}),
        json.dumps({"record": "aiAnalysisAudit", **WORKFLOW}),
        json.dumps({"record": "workflowAudit", **around(WORKFLOW, workflowId="wf-2", totalSteps=-1)}),
        json.dumps({"record": ["workflowAudit"], **WORKFLOW}),
    ]
    file, report = tmp_path / "mixed.jsonl", tmp_path / "rejected.tsv"
    file.write_text("\n".join(lines))

    # when
    first = import_(variables(own_database), file, "--rejected", report)
    second = import_(variables(own_database), file)

    # then
    assert (first.code, first.out) == (1, "stored 4, already there 0, rejected 4\n")
    assert (second.code, second.out) == (1, "stored 0, already there 4, rejected 4\n")
    told = [line.split("\t") for line in report.read_text().splitlines()]
    assert [int(number) for _, number, _ in told] == [3, 6, 7, 8]
    assert told[0][2] == "executionId: is empty or white space only"
    assert "analysisId: is required" in told[1][2]
    assert "workflowId: is no field of this record" in told[1][2]
    events = await sql_own.fetch("SELECT subject_kind FROM remediation_event ORDER BY subject_kind")
    assert [row[0] for row in events] == ["analysis", "execution", "remediation", "workflow"]


async def test_a_field_in_two_spellings_is_refused_by_name(
    import_: Callable[..., Ended], own_database: URL, sql_own: asyncpg.Connection, tmp_path: Path
) -> None:
    file, report = tmp_path / "twice.jsonl", tmp_path / "rejected.tsv"
    twice = {"start_time": "2026-01-02T00:00:00Z", "cluster_name": "prod-eu-1"}
    snake_only = {
        snake(name): value for name, value in remediation_input(remediationRequestId="rr-2").items()
    }
    file.write_text(f"{record(1, **twice)}\n{json.dumps(snake_only)}\n")

    outcome = import_(variables(own_database), file, "--rejected", report)

    assert outcome.out == "stored 1, already there 0, rejected 1\n"
    assert report.read_text() == (
        f"{file}\t1\tstartTime: is given more than once, as startTime and start_time; "
        "clusterName: is given more than once, as clusterName and cluster_name\n"
    )
    assert await sql_own.fetchval("SELECT remediation_request_id FROM remediation_audit") == "rr-2"


# --- files that cannot be read


@pytest.fixture
def damaged(tmp_path: Path) -> dict[str, Path]:
    whole = gzip.compress(records(600).encode(), mtime=0)
    files = {
        "truncated": whole[: len(whole) // 2],
        "not gzip": records(1).encode(),
        "corrupt": whole[: len(whole) // 2] + b"\x00" * 64 + whole[len(whole) // 2 + 64 :],
    }
    paths = {}
    for name, content in files.items():
        paths[name] = tmp_path / f"{name.replace(' ', '-')}.jsonl.gz"
        paths[name].write_bytes(content)
    return paths


async def test_a_damaged_file_is_read_as_far_as_it_goes(
    import_: Callable[..., Ended],
    own_database: URL,
    sql_own: asyncpg.Connection,
    damaged: dict[str, Path],
    tmp_path: Path,
) -> None:
    good = tmp_path / "good.jsonl"
    good.write_text(record(1_000) + "\n")

    outcome = import_(variables(own_database), *damaged.values(), good)

    assert outcome.code == 1
    ends = [line for line in outcome.err.splitlines() if "cannot be read, and nothing after it: " in line]
    assert [Path(line.partition(":")[0]) for line in ends] == list(damaged.values())
    assert "Compressed file ended before the end-of-stream marker" in ends[0]
    assert ":1: line: cannot be read, and nothing after it: Not a gzipped file" in ends[1]
    assert "Traceback" not in outcome.err
    assert (
        await sql_own.fetchval(
            "SELECT count(*) FROM remediation_audit WHERE remediation_request_id = 'rr-1000'"
        )
        == 1
    )
    assert await stored(sql_own) > 200  # more than the whole batches: up to the damage


def test_what_cannot_be_opened_is_told_before_anything_is_done(
    import_: Callable[..., Ended], tmp_path: Path
) -> None:
    file = tmp_path / "good.jsonl"
    file.write_text(records(1))
    nowhere = URL.create("postgresql", "app", database="app", query={"host": "/nonexistent"})

    missing = import_(variables(nowhere), tmp_path / "missing.jsonl")
    folder = import_(variables(nowhere), tmp_path)
    unwritable = import_(variables(nowhere), file, "--rejected", tmp_path / "none" / "rejected.tsv")
    cut_off = import_(variables(nowhere), file)

    outcomes = (missing, folder, unwritable, cut_off)
    assert [outcome.code for outcome in outcomes] == [2, 2, 1, 1]
    told = [" ".join(outcome.err.replace("│", " ").split()) for outcome in outcomes]  # out of their frames
    assert "does not exist" in told[0]
    assert "is a directory" in told[1]
    assert "cannot write the rejected lines to" in told[2]
    assert "cannot be reached" in told[3]
    assert "Traceback" not in " ".join(told)


async def test_a_schema_that_lags_behind_is_told(
    import_: Callable[..., Ended],
    own_database: URL,
    sql_own: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    file = tmp_path / "good.jsonl"
    file.write_text(records(1))
    await sql_own.execute("DROP TABLE alembic_version")

    outcome = import_(variables(own_database), file)

    assert outcome.code == 1
    assert "migration(s) of this release; run: datastorage migrate" in outcome.err
    assert "Traceback" not in outcome.err


# --- size, interruptions, company


async def test_lines_are_stored_as_they_come_and_no_line_is_held_whole(
    start: Callable[..., subprocess.Popen[str]],
    own_database: URL,
    sql_own: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    process = start(environment(own_database), pipe)
    with pipe.open("w") as writer:
        writer.write(records(450))
        writer.flush()
        await until_stored(sql_own, 400, process)  # while the end of the file is not in sight
        feeding = threading.Thread(target=feed, args=(writer, 300))
        feeding.start()
        feeding.join()
        peak_mib = memory_peak_mib(
            process.pid
        )  # by now the long line has gone through, but for a pipe's worth
        writer.write("\n" + record(450) + "\n")
    out, err = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, out) == (1, "stored 451, already there 0, rejected 1\n")
    assert f"{pipe}:451: line: is longer than 1048576 bytes" in err
    assert peak_mib < 400


def feed(writer: Any, mebibytes: int) -> None:
    for _ in range(mebibytes):
        writer.write("x" * MIB)


def memory_peak_mib(pid: int) -> float:
    """The most memory that a running process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


async def test_an_import_that_was_killed_is_simply_repeated(
    start: Callable[..., subprocess.Popen[str]],
    import_: Callable[..., Ended],
    own_database: URL,
    sql_own: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    pipe, file = tmp_path / "pipe.jsonl", tmp_path / "many.jsonl"
    os.mkfifo(pipe)
    file.write_text(records(1_000))
    process = start(environment(own_database), pipe)
    with pipe.open("w") as writer:
        writer.write(records(450))
        writer.flush()
        await until_stored(sql_own, 400, process)
        process.kill()
        process.wait()

    outcome = import_(variables(own_database), file)

    assert (outcome.code, outcome.out) == (0, "stored 600, already there 400, rejected 0\n")
    assert await stored(sql_own) == await sql_own.fetchval("SELECT count(*) FROM remediation_event") == 1_000


async def test_a_database_that_goes_away_ends_it_with_what_was_stored_so_far(
    start: Callable[..., subprocess.Popen[str]],
    server_url: URL,
    own_database: URL,
    sql_own: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    process = start(environment(own_database), pipe)
    with pipe.open("w") as writer:
        writer.write(records(250))
        writer.flush()
        await until_stored(sql_own, 200, process)
        async with administrator(server_url) as connection:
            await connection.execute(f'DROP DATABASE "{own_database.database}" WITH (FORCE)')
    outcome = ended(process)
    async with administrator(server_url) as connection:
        await connection.execute(f'CREATE DATABASE "{own_database.database}"')  # the fixture drops it

    assert (outcome.code, outcome.out) == (1, "stored 200, already there 0, rejected 0\n")
    assert outcome.err.splitlines()[-1] == "datastorage: the database is not available; try again"


def test_it_runs_beside_the_service_of_the_same_data_directory(
    import_: Callable[..., Ended], embedded_service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "good.jsonl"
    file.write_text(records(10))

    outcome = import_(variables(embedded_service.data_dir), file)

    assert (outcome.code, outcome.out) == (0, "stored 10, already there 0, rejected 0\n")
    audit = embedded_service.ask('{ remediationAudit(requestId: "rr-9") { name } }')["data"][
        "remediationAudit"
    ]
    assert audit == {"name": "payment-api-oom"}
    assert embedded_service.probe("/ready")[0] == 200


def test_an_import_that_is_terminated_leaves_no_database_running(
    start: Callable[..., subprocess.Popen[str]], place: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    process = start(environment(place / "data"), pipe)
    with pipe.open("w"):  # opens when the import does, with its database ready
        assert postgres_processes(place / "data")
        process.send_signal(signal.SIGTERM)
        outcome = ended(process)

    assert (outcome.code, outcome.out) == (143, "stored 0, already there 0, rejected 0\n")
    assert "Traceback" not in outcome.err
    wait_until(lambda: postgres_processes(place / "data") == [])
