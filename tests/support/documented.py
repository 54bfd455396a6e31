"""Commands as a page of the docs has them, to be run as they stand."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"


def block(page: str, name: str) -> str:
    """The code that follows the comment `<!-- name -->`."""
    (found,) = re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    return found


def run_block(page: str, name: str, place: Path, variables: Mapping[str, str], **options: Any) -> str:
    """Runs it in a folder. Errors: AssertionError with what it said."""
    done = subprocess.run(
        ["sh", "-euc", block(page, name)],
        cwd=place,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
