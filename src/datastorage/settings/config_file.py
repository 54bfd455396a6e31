"""The YAML file, weakest of the sources."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import yaml

CONFIG_FILE: Final = "DATASTORAGE_CONFIG_FILE"


def read_config_file() -> tuple[dict[str, Any], list[str]]:
    """The settings of the YAML file, and what is wrong with it; never its content, which may be secret."""
    path = os.environ.get(CONFIG_FILE)
    if not path:
        return {}, []
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{CONFIG_FILE}: {path}: {getattr(error, 'strerror', None) or 'is no text in UTF-8'}"]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return {}, [f"{CONFIG_FILE}: {path}: is no YAML" + (f" (line {mark.line + 1})" if mark else "")]
    if content is None:
        return {}, []
    if not isinstance(content, dict):
        return {}, [f"{CONFIG_FILE}: {path}: holds no settings; expected lines such as `http_port: 8080`"]
    return {str(name): value for name, value in content.items()}, []
