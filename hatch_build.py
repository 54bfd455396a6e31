"""Puts GraphiQL into the wheel; hatchling calls it, `ui/build.py` does the work."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GraphiqlBuildHook(BuildHookInterface):
    """Builds GraphiQL where it is missing or older than its sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build before the wheel collects its files; a developer's editable install does without."""
        if version == "editable":
            return
        ui = runpy.run_path(str(Path(self.root, "ui", "build.py")))
        try:
            ui["build"]()
        except (ui["BuildFailed"], OSError) as failure:
            self.app.abort(
                f"GraphiQL, which belongs into the wheel, could not be built: {failure}\n"
                "The build needs the npm registry, and PyPI where there is no npm. "
                "Or build it where there is a network, with `make ui`, and the wheel in the same folder after that."
            )
