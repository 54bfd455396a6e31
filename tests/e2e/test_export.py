"""`datastorage export` as a process: which records it writes, where to, and what it leaves when it breaks off."""

import gzip
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy.engine import URL

from support.around import ANALYSIS, EXECUTION, WORKFLOW, around
from support.command_line import CommandLine, Ended
from support.postgres import cloned
from support.records import remediation_input
from support.service import COMMAND, PATIENCE_S, environment, variables

KEYS = {
    "remediationAudit": "remediationRequestId",
    "aiAnalysisAudit": "analysisId",
    "workflowAudit": "workflowId",
    "executionAudit": "executionId",
}
RECORDS: list[dict[str, Any]] = [
    remediation_input(remediationRequestId="rr-1", phase="FAILED", startTime="2026-01-01T00:00:00Z"),
    remediation_input(remediationRequestId="rr-2", namespace="shop", startTime="2026-01-02T00:00:00Z"),
    {"record": "aiAnalysisAudit", **around(ANALYSIS, analysisId="an-1")},
    {"record": "aiAnalysisAudit", **around(ANALYSIS, analysisId="an-9", remediationRequestId="rr-9")},
    {"record": "workflowAudit", **around(WORKFLOW, workflowId="wf-1")},
    {"record": "workflowAudit", **around(WORKFLOW, workflowId="wf-2", remediationRequestId="rr-2")},
    {"record": "executionAudit", **around(EXECUTION, executionId="ex-1")},
    {
        "record": "executionAudit",
        **around(EXECUTION, executionId="ex-2", workflowId="wf-2", namespace="shop"),
    },
    {
        "record": "executionAudit",
        **around(EXECUTION, executionId="ex-3", workflowId="wf-9", remediationRequestId="rr-1"),
    },
]
EVERYTHING = {"rr-1", "rr-2", "an-1", "an-9", "wf-1", "wf-2", "ex-1", "ex-2", "ex-3"}


@pytest.fixture(scope="module")
def run(commands: CommandLine) -> Callable[..., Ended]:
    """Runs a command to its end."""

    def run(given: dict[str, str], *arguments: object) -> Ended:
        return commands.run(*map(str, arguments), variables=given | {"COLUMNS": "200"})

    return run


@pytest.fixture(scope="module")
def filled(
    run: Callable[..., Ended], server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The variables of a database that holds the records above; for tests that only read it."""
    file = tmp_path_factory.mktemp("filled") / "records.jsonl"
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(cloned(server_url, template)) as url,
    ):
        fill(run, variables(url), file)
        yield variables(url)


def fill(run: Callable[..., Ended], given: dict[str, str], file: Path) -> None:
    file.write_text("\n".join(map(json.dumps, RECORDS)))
    stored = run(given, "import", file)
    assert stored.out == f"stored {len(RECORDS)}, already there 0, rejected 0\n", stored.err


def started(given: dict[str, str], place: Path) -> subprocess.Popen[str]:
    """An export to a pipe."""
    return subprocess.Popen(
        [*COMMAND, "export"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=given,
        cwd=place,
    )


def keys(lines: str) -> set[str]:
    records = [json.loads(line) for line in lines.splitlines()]
    assert all(next(iter(record)) == "record" for record in records)
    found = [record[KEYS[record["record"]]] for record in records]
    assert len(found) == len(set(found))
    return set(found)


def test_a_line_holds_the_create_input_as_the_api_writes_it(
    run: Callable[..., Ended], filled: dict[str, str]
) -> None:
    outcome = run(filled, "export", "--record", "remediationAudit", "--request", "rr-1")

    assert outcome.code == 0
    assert outcome.out == (
        '{"record":"remediationAudit","remediationRequestId":"rr-1","name":"payment-api-oom",'
        '"namespace":"payments","phase":"FAILED","status":"FAILURE","actionType":"restart_pod",'
        '"actionParameters":{},"startTime":"2026-01-01T00:00:00Z","alertFingerprint":"fp-1",'
        '"severity":"HIGH","environment":"production","clusterName":"prod-eu-1",'
        '"targetResource":"Deployment/payment-api","metadata":{}}\n'
    )
    assert outcome.err.splitlines()[-1] == "exported 1 remediation"


def test_all_kinds_are_exported_unless_some_are_named(
    run: Callable[..., Ended], filled: dict[str, str]
) -> None:
    everything = run(filled, "export")
    some = run(filled, "export", "--record", "workflowAudit", "--record", "aiAnalysisAudit")

    assert keys(everything.out) == EVERYTHING
    assert everything.err.splitlines()[-1] == "exported 2 remediations, 2 analyses, 2 workflows, 3 executions"
    assert keys(some.out) == {"an-1", "an-9", "wf-1", "wf-2"}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--request", "rr-1"], {"rr-1", "an-1", "wf-1", "ex-1", "ex-3"}),
        (["--request", "rr-9"], {"an-9"}),
        (["--request", "rr-9", "--request", "rr-2"], {"an-9", "rr-2", "wf-2", "ex-2"}),
        (["--namespace", "shop"], {"rr-2", "ex-2"}),
        (["--cluster", "prod-eu-1"], {"rr-1", "rr-2"}),
        (["--cluster", "nowhere"], set()),
        (["--since", "2026-01-02T00:00:00Z"], {"rr-2", "an-1", "an-9"}),
        (
            ["--until", "2026-01-02T01:00:00+01:00"],
            {"rr-1", "wf-1", "wf-2", "ex-1", "ex-2", "ex-3"},
        ),
        (["--phase", "failed"], {"rr-1", "an-1", "wf-1", "ex-1", "ex-3"}),
        (["--phase", "FAILED", "--namespace", "shop"], set()),
        (["--status", "pending", "--status", "running"], {"rr-2", "wf-2", "ex-2"}),
        (["--phase", "pending", "--phase", "failed", "--request", "rr-2"], {"rr-2", "wf-2", "ex-2"}),
        (
            ["--filter", '{"analyses": {"some": {"analysisId": {"eq": "an-1"}}}}'],
            {"rr-1", "an-1", "wf-1", "ex-1", "ex-3"},
        ),
        (["--filter", '{"namespace": {"in": ["shop"]}}', "--record", "executionAudit"], {"ex-2"}),
    ],
)
def test_options_choose_records(
    run: Callable[..., Ended], filled: dict[str, str], options: list[str], kept: set[str]
) -> None:
    outcome = run(filled, "export", *options)

    assert outcome.code == 0, outcome.err
    assert keys(outcome.out) == kept


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--filter", "{"], "filter: is no JSON"),
        (["--filter", "[]"], "filter: is no JSON object"),
        (["--filter", '{"namespac": {"eq": "x"}}'], "namespac: is no field of this input"),
        (["--filter", '{"phase": {"eq": "x"}, "name": {"eq": 1}}'], "phase.eq: Value does not exist"),
        (["--since", "yesterday"], "'yesterday' is no RFC 3339 time"),
        (["--since", "2026-01-01"], "'2026-01-01' lacks a time zone"),
        (["--record", "pods"], "'pods' is none of remediationAudit, aiAnalysisAudit"),
        (["--phase", "done"], "'done' is not one of 'pending'"),
    ],
)
def test_an_option_that_cannot_be_read_is_refused(
    run: Callable[..., Ended], options: list[str], told: str
) -> None:
    outcome = run(variables(URL.create("postgresql", host="nowhere")), "export", *options)

    assert (outcome.code, outcome.out) == (2, "")
    assert told in " ".join(outcome.err.replace("│", " ").split())


# --- files


async def test_a_file_holds_what_makes_an_empty_database_the_same(
    run: Callable[..., Ended], own_database: URL, sql_own: asyncpg.Connection, tmp_path: Path
) -> None:
    given = variables(own_database)
    fill(run, given, tmp_path / "records.jsonl")
    file, again = tmp_path / "all.jsonl.gz", tmp_path / "again.jsonl.gz"
    exported = run(given, "export", "--output", file)
    await sql_own.execute(
        "TRUNCATE remediation_audit, ai_analysis_audit, workflow_audit, execution_audit, "
        "remediation_event, incident_lexical, incident_embedding"
    )

    imported = run(given, "import", file)
    run(given, "export", "-o", again)

    assert (exported.code, exported.out) == (0, "")
    assert imported.out == f"stored {len(RECORDS)}, already there 0, rejected 0\n"
    assert gzip.decompress(again.read_bytes()) == gzip.decompress(file.read_bytes())
    assert await sql_own.fetchval("SELECT count(*) FROM incident_embedding") == 1


def test_a_file_that_is_there_is_kept_unless_forced(
    run: Callable[..., Ended], filled: dict[str, str], tmp_path: Path
) -> None:
    file, link = tmp_path / "there.jsonl", tmp_path / "link"
    file.write_text("mine")
    link.symlink_to(file)

    refused = run(filled, "export", "--output", file)
    kept = file.read_text()
    forced = run(filled, "export", "--output", link, "--force")
    device = run(filled, "export", "--output", "/dev/full", "--force")
    nowhere = run(filled, "export", "--output", tmp_path / "none" / "x.jsonl")

    assert [outcome.code for outcome in (refused, forced, device, nowhere)] == [1, 0, 1, 1]
    assert kept == "mine"
    assert refused.err == f"datastorage: {file} is there already; --force overwrites it\n"
    assert link.is_symlink()
    assert keys(file.read_text()) == EVERYTHING
    assert device.err == "datastorage: cannot write to /dev/full: it is no regular file\n"
    assert "No such file or directory" in nowhere.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "there.jsonl"]


def test_an_export_that_fails_leaves_no_file(
    run: Callable[..., Ended], own_database: URL, tmp_path: Path
) -> None:
    lagging = own_database.set(database="nothing_of_this_name")

    outcome = run(variables(lagging), "export", "--output", tmp_path / "all.jsonl")

    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert list(tmp_path.iterdir()) == []


# --- streams


async def test_a_reader_that_has_seen_enough_ends_it_quietly(
    own_database: URL, sql_own: asyncpg.Connection, tmp_path: Path
) -> None:
    await many(sql_own, 20_000)
    process = started(environment(own_database), tmp_path)
    first = process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert process.wait(PATIENCE_S) == 141
    assert json.loads(first)["remediationRequestId"] == "many-1"
    assert "roken pipe" not in said
    assert "Traceback" not in said
    assert "exported" not in said


async def test_an_export_shows_one_moment_and_waits_for_its_reader(
    own_database: URL, sql_own: asyncpg.Connection, tmp_path: Path
) -> None:
    await many(sql_own, 20_000)
    with started(environment(own_database, QUERY_TIMEOUT_S=0.5), tmp_path) as process:
        first = process.stdout.readline()
        await sql_own.execute(
            "DELETE FROM remediation_audit"
        )  # also takes longer than a transaction may pause
        await sql_own.execute("SELECT pg_sleep(2)")
        rest = process.stdout.readlines()

    assert process.returncode == 0
    assert len([first, *rest]) == 20_000


async def many(sql: asyncpg.Connection, count: int) -> None:
    await sql.execute(
        """
        INSERT INTO remediation_audit (remediation_request_id, name, namespace, phase, status, action_type,
            start_time, alert_fingerprint, severity, environment, cluster_name, target_resource, target_kind,
            target_name, content_hash)
        SELECT 'many-' || n, 'n', 'n', 'pending', 'pending', 'a', now(), 'f', 'low', 'e', 'c', 'P/x', 'P', 'x',
            sha256('x') FROM generate_series(1, $1) n
        """,
        count,
    )
