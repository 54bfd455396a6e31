"""Draws the diagrams of the pages as pictures: `make diagrams`. GitHub draws them itself; a site would load a script.

Takes mermaid from npm as locked, and Chromium as it is on the machine; needed only when a diagram changes.
"""

from __future__ import annotations

import html
import re
import subprocess
import tempfile
from pathlib import Path

from pages import DIAGRAM, ROOT, name

HERE = Path(__file__).parent
PICTURES = ROOT / "docs" / "images" / "diagrams"
SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
PAGE = """<!doctype html><meta charset="utf-8"><script src="{script}"></script>{diagrams}
<script>mermaid.initialize({{startOnLoad: true, theme: "neutral", htmlLabels: false, flowchart: {{htmlLabels: false}},
fontFamily: "sans-serif", deterministicIds: true}});</script>"""


def main() -> None:
    """Draws those that have no picture yet, and removes pictures of none."""
    sources = {
        name(source): source
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for source in DIAGRAM.findall(page.read_text())
    }
    for picture in PICTURES.glob("*.svg"):
        if picture.name not in sources:
            picture.unlink()
    missing = {file: source for file, source in sources.items() if not (PICTURES / file).exists()}
    for file, source in missing.items():
        (PICTURES / file).write_text(drawn(source) + "\n")
        print(PICTURES / file)


def drawn(source: str) -> str:
    """One diagram as SVG. Errors: ValueError, with what the browser made of it."""
    script = HERE / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
    if not script.exists():
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=HERE, check=True)
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "diagram.html"
        diagram = f'<pre class="mermaid">{html.escape(source)}</pre>'
        page.write_text(PAGE.format(script=script.as_uri(), diagrams=diagram))
        shown = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--virtual-time-budget=20000", "--dump-dom", page.as_uri()],
            capture_output=True,
            text=True,
            check=True,
        ).stdout  # fmt: skip
    found = SVG.search(shown)
    if found is None or "Syntax error" in found[0]:
        raise ValueError(f"not drawn: {source}\n{shown[-2000:]}")
    return re.sub(r"<br>", "<br/>", found[0])


if __name__ == "__main__":
    main()
