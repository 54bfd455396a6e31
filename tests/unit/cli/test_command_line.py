"""The command line as such: its help, its version, and the schema it prints."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from datastorage import __version__
from datastorage.cli import COMMANDS, app
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
    "embeddings": ["status", "backfill", "reembed", "drop", "verify"],
    "outbox": ["status", "retry"],
    "vectors": ["reconcile"],
    "keys": ["create", "list", "rotate", "revoke"],
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
    assert set(COMMANDS) == set(OPTIONS)
    assert "DATASTORAGE_*" in result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_says_what_the_help_of_each_begins_with(command: str) -> None:
    found = COMMANDS[command].load()
    told = found.info.help if isinstance(found, typer.Typer) else found.__doc__

    assert " ".join(told.split()).startswith(COMMANDS[command].summary.rstrip("."))


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_wait_for_no_part_of_the_service(option: str) -> None:
    code = (
        "import sys; from datastorage.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(*[name for name in sys.modules if name.startswith('datastorage.')])"
    )

    ended = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=True)

    assert set(ended.stdout.splitlines()[-1].split()) == {
        *(
            "datastorage.cli",
            "datastorage.cli.failures",
            "datastorage.cli.on_demand",
            "datastorage.cli.version",
        ),
        "datastorage.errors",
    }


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
