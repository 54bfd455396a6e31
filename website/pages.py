"""What turns pages that read well on GitHub into a site: hooks of mkdocs, named in mkdocs.yml.

Files of the repository that pages lead to become part of the site; diagrams are the pictures that `make diagrams`
drew of them; and a page that would load anything from elsewhere ends the build.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
REPOSITORY = "repository/"  # where files from outside of docs/ are in the site
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)((?:#[^)\s]*)?)\)")
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LOADED = re.compile(r"<(?:script|img|iframe)\b[^>]*\bsrc=\"?(https?:)?//|<link\b[^>]*\bhref=\"?https?://")
HARMLESS = re.compile(r"<link\b[^>]*\brel=\"?canonical")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what pages link to, and what those link to in turn."""
    waiting = [file.src_uri for file in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        for target in _targets(page):
            if target.startswith(REPOSITORY) and files.get_file_from_path(target) is None:
                source = ROOT / target.removeprefix(REPOSITORY)
                if source.is_file():
                    files.append(File.generated(config, target, abs_src_path=str(source)))
                    waiting += [target] if source.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 -- mkdocs'
    """Leads links to where their targets are in the site, and puts pictures in the place of diagrams."""
    uri = page.file.src_uri
    here = posixpath.dirname(uri)

    def led(link: re.Match[str]) -> str:
        return f"]({posixpath.relpath(_in_site(uri, link[1]), here or '.')}{link[2]})"

    def drawn(diagram: re.Match[str]) -> str:
        return (
            f"![{title(diagram[1])}]({posixpath.relpath(f'images/diagrams/{name(diagram[1])}', here or '.')})"
        )

    return DIAGRAM.sub(drawn, LINK.sub(led, markdown))


def on_post_build(config: MkDocsConfig) -> None:
    """Errors: PluginError for pages that load something from elsewhere."""
    for page in Path(config.site_dir).rglob("*.html"):
        for loaded in LOADED.finditer(page.read_text()):
            if not HARMLESS.match(loaded[0]):
                raise PluginError(f"{page} loads from elsewhere: {loaded[0]}")


def name(diagram: str) -> str:
    """The file of a diagram's picture: another text has another name, so that no picture is out of date."""
    return f"{hashlib.sha256(diagram.encode()).hexdigest()[:12]}.svg"


def title(diagram: str) -> str:
    """What the diagram says of itself to those who cannot see it."""
    found = re.search(r"^\s*accTitle: (.+)$", diagram, re.MULTILINE)
    if found is None:
        raise PluginError(f"a diagram without accTitle: {diagram[:60]}")
    return found[1]


def _targets(uri: str) -> Iterator[str]:
    for link in LINK.finditer(_source(uri).read_text()):
        yield _in_site(uri, link[1])


def _source(uri: str) -> Path:
    return ROOT / uri.removeprefix(REPOSITORY) if uri.startswith(REPOSITORY) else ROOT / "docs" / uri


def _in_site(uri: str, target: str) -> str:
    """Where the target of a page's link is in the site."""
    meant = os.path.relpath(os.path.normpath(_source(uri).parent / target), ROOT)
    return meant.removeprefix("docs/") if meant.startswith("docs/") else REPOSITORY + meant
