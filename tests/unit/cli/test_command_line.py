"""The command line as such: its help, its version, and the schema it prints."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from datastorage import __version__
from datastorage.cli import app
from datastorage.graphql.schema import build_schema

OPTIONS = {
    "serve": ["--host", "--port", "--metrics-port", "--workers", "--insecure"],
    "migrate": ["--check"],
    "import": ["--rejected", "JSONL"],
    "export": [
        "--output",
        "--force",
        "--record",
        "--request",
        "--namespace",
        "--cluster",
        "--phase",
        "--status",
        "--since",
        "--until",
        "--filter",
    ],
    "delete": [
        "--request",
        "--namespace",
        "--cluster",
        "--phase",
        "--status",
        "--before",
        "--filter",
        "--yes",
        "--dry-run",
    ],
    "demo": ["--count", "--seed", "--remove", "--yes"],
    "schema": ["--output"],
    "doctor": [],
    "settings": ["--markdown"],
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.mark.parametrize(("command", "options"), OPTIONS.items())
def test_every_command_explains_itself_and_its_options(command: str, options: list[str]) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f" {command} [OPTIONS]" in result.output
    for option in options:
        assert option in result.output


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_the_help_names_every_command_and_says_where_settings_come_from(arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == (0 if arguments else 2)
    assert [name for name in OPTIONS if name not in result.output] == []
    assert {command.name or command.callback.__name__ for command in app.registered_commands} == set(OPTIONS)
    assert "DATASTORAGE_*" in result.output


def test_the_version_is_told() -> None:
    result = run("--version")

    assert (result.exit_code, result.output) == (0, f"datastorage {__version__}\n")


def test_an_unknown_command_is_refused() -> None:
    result = run("reboot")

    assert result.exit_code == 2
    assert "No such command 'reboot'" in result.output


def test_the_schema_is_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"

    printed = run("schema")
    written = run("schema", "-o", str(file))

    assert printed.exit_code == written.exit_code == 0
    assert printed.output == file.read_text() == build_schema().as_str().strip() + "\n"
    assert "createRemediationAudit(" in printed.output
    assert written.output == ""
