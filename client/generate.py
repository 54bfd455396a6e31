"""Makes the generated parts of datastorage.client from schema.graphql and client/fragments: `make client`.

With `--check` it writes nothing and tells what is not as it would be. For that it needs ariadne-codegen no
more than a look at what it was given the last time.
"""  # noqa: INP001 -- a script, no package

from __future__ import annotations

import sys
from pathlib import Path

from generator.api import Incomplete, read_api
from generator.documents import operations
from generator.methods import datastorage
from generator.models import exported, fingerprint, models
from generator.places import PACKAGE, tidied
from generator.synchronous import modules, synchronous

GENERATED = PACKAGE / "generated"
MADE_FROM = GENERATED / "made_from.txt"


def main() -> None:
    """The command line."""
    try:
        stale = check() if "--check" in sys.argv[1:] else write()
    except Incomplete as fault:
        sys.exit(f"{fault}\nthen run: make client")
    if stale:
        sys.exit("not as schema.graphql and client/ have it: " + ", ".join(stale) + "\nrun: make client")


def write() -> list[str]:
    """Everything anew."""
    for name, code in models(read_api()).items():
        place = GENERATED / f"{name}.py"
        place.write_text(tidied(code, place))
    for derive in (without_codegen, translated):
        for place, code in derive().items():
            place.write_text(code)
    MADE_FROM.write_text(fingerprint())
    return []


def check() -> list[str]:
    """Files that are not as they would be made."""
    made = {**without_codegen(), **translated()}
    stale = [place for place, code in made.items() if not place.is_file() or place.read_text() != code]
    if MADE_FROM.read_text() != fingerprint():
        stale.append(MADE_FROM)
    return [str(place.relative_to(PACKAGE)) for place in stale]


def without_codegen() -> dict[Path, str]:
    """Operations and methods, for which the schema is enough."""
    api = read_api()
    names = exported((GENERATED / "__init__.py").read_text())
    made = {
        GENERATED / "operations.py": operations(api),
        PACKAGE / "aio" / "datastorage.py": datastorage(api, names),
    }
    return {place: tidied(code, place) for place, code in made.items()}


def translated() -> dict[Path, str]:
    """The synchronous modules."""
    made = {PACKAGE / "sync" / place.name: synchronous(place.read_text()) for place in modules()}
    return {place: tidied(code, place) for place, code in made.items()}


if __name__ == "__main__":
    main()
