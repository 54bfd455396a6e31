"""`datastorage settings`: every setting, its value here, its default and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.table import Table

from datastorage.settings import PREFIX, Settings, load_settings


def settings(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The table of defaults for the documentation.")
    ] = False,
) -> None:
    """Show every setting: its variable, its value as this process reads it, and what it does.

    Secrets are not shown.
    """
    if markdown:
        typer.echo("\n".join(markdown_table()))
        return
    current = load_settings()
    table = Table(box=None, pad_edge=False)
    for heading in ("variable", "value", "meaning"):
        table.add_column(heading, overflow="fold")
    for name, field in Settings.model_fields.items():
        table.add_row(variable(name), shown(getattr(current, name)), field.description or "")
    Console().print(table, markup=False)


def markdown_table() -> Iterator[str]:
    """The table of settings for the README, line by line."""
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        yield f"| `{variable(name)}` | {default(field)} | {field.description} |"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def default(field: FieldInfo) -> str:
    """The default of a setting, for people."""
    value = field.get_default(call_default_factory=True, validated_data={})
    return f"`{shown(value)}`" if shown(value) else ""


def shown(value: Any) -> str:
    """A value as one would write it into the environment; secrets as stars, nothing as nothing."""
    if value is None or value == {}:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(shown(each) for each in value)
    return str(value.value) if isinstance(value, Enum) else str(value)
