"""From the sources to settings: everything wrong at once, and what is set but read by nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values
from pydantic import ValidationError

from datastorage.errors import SettingsError
from datastorage.settings.config_file import CONFIG_FILE, read_config_file
from datastorage.settings.model import ENV_FILE, PREFIX, Settings

SECRETS_DIR: Final = "DATASTORAGE_SECRETS_DIR"
# What Kubernetes tells each pod about the Services around it, one of which may have our name.
OF_KUBERNETES: Final = re.compile(r"_SERVICE_(HOST|PORT\w*)$|_PORT_\d+_(TCP|UDP|SCTP)\w*$")


def load_settings(**overrides: Any) -> Settings:
    """Settings from all sources; `overrides` are command-line options, None meaning “not given”.

    Errors: SettingsError with every wrong setting, one a line.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    faults = read_config_file()[1]
    secrets_dir = os.environ.get(SECRETS_DIR) or None
    if secrets_dir is not None and not Path(secrets_dir).is_dir():
        faults.append(f"{SECRETS_DIR}: {secrets_dir} is no directory")
        secrets_dir = None
    try:
        settings = Settings(_secrets_dir=secrets_dir, **given)
    except ValidationError as error:
        faults += _described(error)
    if faults:
        raise SettingsError("\n  ".join(["wrong settings:", *faults]))
    return settings


def unknown_variables() -> list[str]:
    """What is set with our prefix and read by no setting, each with a guess at what was meant."""
    fields = set(Settings.model_fields)
    variables = {PREFIX + name.upper() for name in fields} | {CONFIG_FILE, SECRETS_DIR}
    unknown = [
        *_unknown(_ours(os.environ), variables, ""),
        *_unknown(_ours(dotenv_values(ENV_FILE)), variables, f" (in {ENV_FILE})"),
        *_unknown(read_config_file()[0], fields, f" (in {os.environ.get(CONFIG_FILE)})"),
    ]
    return sorted(unknown)


def _ours(variables: Mapping[str, str | None]) -> Iterator[str]:
    for name, value in variables.items():
        if not name.upper().startswith(PREFIX) or name.startswith(PREFIX + "TEST_"):
            continue
        if not OF_KUBERNETES.search(name) and not (value or "").startswith(("tcp://", "udp://")):
            yield name


def _unknown(names: Iterable[str], known: set[str], place: str) -> Iterator[str]:
    uppercase = all(name.isupper() for name in known)
    for name in names:
        spelled = name.upper() if uppercase else name
        if spelled not in known:
            guesses = get_close_matches(spelled, known, 1, cutoff=0.75)
            yield f"{name}{place} is not a setting" + "".join(f"; did you mean {guess}?" for guess in guesses)


def _described(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        yield f"{PREFIX}{place.upper()}: {message}"
