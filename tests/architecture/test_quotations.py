"""Commands, settings, alerts and tests that the documentation names are there."""

import re
from pathlib import Path
from typing import Any

import typer
import yaml

from datastorage.cli import app
from datastorage.cli.settings_ import variable
from datastorage.settings import Settings
from datastorage.settings.config_file import CONFIG_FILE
from support.quoted import alerts, commands, named_tests, settings, targets

ROOT = Path(__file__).parents[2]
# Read before there are settings, or by tests only.
NO_SETTINGS = {CONFIG_FILE, "DATASTORAGE_SECRETS_DIR", "DATASTORAGE_TEST_DATABASE_URL"}


def fault(words: list[str]) -> str | None:
    """What the command line would not know of these words."""
    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="datastorage")
    for word in words:
        if hasattr(command, "get_command") and re.fullmatch(r"[a-z]+", word):
            if word not in command.list_commands(context):
                return f"no command {word}"
            _, found, _ = command.resolve_command(context, [word])
            command, context = found, found.context_class(found, parent=context, info_name=word)
        elif word.startswith("-"):
            known = {option for each in command.get_params(context) for option in each.opts}
            if word.partition("=")[0] not in known:
                return f"{context.command_path} has no {word}"
    return None


def test_commands_and_their_options_are_there() -> None:
    named = list(commands())

    assert len(named) > 60
    assert [(page, words, fault(words)) for page, words in named if fault(words)] == []


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    assert fault(["outbox", "retry"]) is None
    assert fault(["outbox", "flush"]) == "no command flush"
    assert fault(["vectors", "reconcile", "--all"]) == "datastorage vectors reconcile has no --all"


def test_settings_are_there() -> None:
    known = {variable(name) for name in Settings.model_fields} | NO_SETTINGS

    assert [(page, name) for page, name in settings() if name not in known] == []


def test_alerts_are_there() -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())["groups"]
    known = {rule["alert"] for group in groups for rule in group["rules"]}

    assert [(page, name) for page, name in alerts() if name not in known] == []


def test_tests_are_there() -> None:
    missing = [
        (page, file, name)
        for page, file, name in named_tests()
        if not re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
    ]

    assert missing == []


def test_each_alert_says_whether_to_go_back() -> None:
    page = (ROOT / "docs" / "going-live.md").read_text()
    _, _, table = page.partition("## When to go back")
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())["groups"]

    told = set(re.findall(r"\[(DataStorage\w+)\]", table.partition("\n## ")[0]))
    assert told == {rule["alert"] for group in groups for rule in group["rules"]}


def test_each_query_of_going_live_has_a_target() -> None:
    assert len(targets("going-live.md")) >= 25
