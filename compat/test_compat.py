"""Other people's tools work with the schema and the service: `make compat`, no part of CI."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.client import CREATE
from support.records import remediation_input
from support.service import PATIENCE_S, data_place, environment, started

HERE = Path(__file__).resolve().parent
CREATE_ANALYSES = """
    mutation($inputs: [CreateAiAnalysisAuditInput!]!) {
      createAiAnalysisAudits(inputs: $inputs) { ... on CreateAiAnalysisAuditPayload { receipt { replayed } } }
    }
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The endpoint of a service with seven remediations, of which the latest has three analyses."""
    with data_place() as place, started(environment(place / "data")) as service:
        service.await_start()
        for number in range(1, 8):
            time = f"2026-01-01T12:00:0{number}Z"
            stored = service.ask(
                CREATE, input=remediation_input(remediationRequestId=f"rr-{number}", startTime=time)
            )
            assert stored["data"]["createRemediationAudit"]["receipt"]["replayed"] is False
        analyses = service.ask(CREATE_ANALYSES, inputs=[analysis_input(number) for number in range(3)])
        assert analyses == {"data": {"createAiAnalysisAudits": [{"receipt": {"replayed": False}}] * 3}}
        yield f"{service.url}/graphql"


def analysis_input(number: int) -> dict[str, object]:
    """A valid CreateAiAnalysisAuditInput."""
    return {
        "analysisId": f"a-{number}",
        "remediationRequestId": "rr-7",
        "provider": "anthropic",
        "model": "claude",
        "confidenceScore": 0.9,
        "tokensUsed": 100,
        "analysisDurationMs": 1_000,
    }


def test_the_schema_keeps_the_rules_of_graphql_eslint_and_relay() -> None:
    run(node("lint.mjs"))


def test_the_service_keeps_graphql_over_http(url: str) -> None:
    run(node("audit.mjs", url))


def test_relay_compiles_connections_and_refetches_records(url: str) -> None:
    run(node("relay.mjs", url))


def test_apollo_client_pages_through_a_list(url: str) -> None:
    run(node("apollo.mjs", url))


def test_apollo_client_names_its_queries_by_their_hash(url: str) -> None:
    run(node("apollo_persisted.mjs", url))


def test_gql_pages_through_a_list(url: str) -> None:
    run(python("gql_pages.py", url))


def test_ariadne_codegen_makes_a_client_that_writes_and_reads(url: str) -> None:
    run(python("generated_client.py", url))


def node(*arguments: str) -> list[str]:
    """A script of this folder, with all packages."""
    return [sys.executable, str(HERE / "node.py"), "--dev", *arguments]


def python(script: str, *arguments: str) -> list[str]:
    """A script of this folder, in its own environment."""
    return [str(HERE / ".venv" / "bin" / "python"), str(HERE / script), *arguments]


def run(command: list[str]) -> None:
    """Says what the tool says; a failing tool fails the test."""
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE_S
    )
    print(ran.stdout)
    assert ran.returncode == 0, f"{Path(command[1]).name} failed, see its output"
