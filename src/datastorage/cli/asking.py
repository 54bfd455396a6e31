"""Asking before something is deleted for good, where somebody is there to be asked."""

from __future__ import annotations

import sys

import typer


def refuse_unasked(yes: bool, does: str) -> None:
    """Ends the command where it would have to ask and nobody is there; `does` is what it does: "deletes"."""
    if not (yes or sys.stdin.isatty()):
        raise typer.BadParameter(f"nobody is there to be asked; --yes {does} without asking")


def confirm(yes: bool, question: str) -> None:
    """Ends the command unless the answer is yes."""
    if not yes:
        typer.confirm(question, abort=True)
