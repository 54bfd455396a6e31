"""What `make docs` cannot tell without its own environment: diagrams have their pictures, pages their place."""

import re
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
DIAGRAMS = {
    source: page
    for page in PAGES
    for source in re.findall(r"^```mermaid\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
}


def test_each_diagram_has_its_picture_and_no_other_picture_is_kept() -> None:
    drawn = {picture.name for picture in (ROOT / "docs" / "images" / "diagrams").iterdir()}

    assert DIAGRAMS
    assert drawn == {f"{sha256(source.encode()).hexdigest()[:12]}.svg" for source in DIAGRAMS}, (
        "run: make diagrams"
    )


def test_pictures_show_without_anything_from_elsewhere() -> None:
    for picture in (ROOT / "docs" / "images").rglob("*.svg"):
        loaded = re.findall(r"(?:href|src)=\"(?!#)[^\"]*\"|url\((?!#)[^)]*\)|@import", picture.read_text())
        assert loaded == [], picture


def test_each_page_has_its_place_in_the_site() -> None:
    site = (ROOT / "mkdocs.yml").read_text()
    placed = re.findall(r"^ +- (?:[\w ]+: )?([\w./-]+\.md)$", site, re.MULTILINE)
    (waived,) = re.findall(r"^not_in_nav: \|\n((?:  .*\n)+)", site, re.MULTILINE)

    assert len(placed) == len(set(placed))
    missing = {str(page.relative_to(ROOT / "docs")) for page in PAGES} - set(placed)
    assert missing <= {line.strip().removeprefix("/") for line in waived.splitlines()}
