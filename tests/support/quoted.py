"""What the pages of the documentation quote from the code."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each use of the command line, with its page: the words after `datastorage`, comments and pipes aside."""
    for page in PAGES:
        text = page.read_text()
        inline = re.findall(r"`(?:[^`\n]* -- )?datastorage( [^`\n]*)`", text)
        typed = re.findall(
            r"^ *\$ (?:\w+=\S+ |kubectl [^|\n]* -- )*datastorage( [^\n]*)$", text, re.MULTILINE
        )
        for said in inline + typed:
            words = re.split(r" [#|>]| 2>| \\$", said)[0].split()
            yield str(page.relative_to(ROOT)), words


def settings() -> Iterator[tuple[str, str]]:
    """Each setting that is named whole, with its page."""
    for page in PAGES:
        for name in set(re.findall(r"\bDATASTORAGE_[A-Z_]+[A-Z]\b(?!…)", page.read_text())):
            yield str(page.relative_to(ROOT)), name


def named_tests() -> Iterator[tuple[str, str, str]]:
    """Each test that is named, with its page."""
    for page in PAGES:
        for file, name in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", page.read_text()):
            yield str(page.relative_to(ROOT)), file, name


def alerts() -> Iterator[tuple[str, str]]:
    """Each alert that is named, with its page."""
    for page in PAGES:
        for name in set(re.findall(r"\bDataStorage[A-Z]\w+", page.read_text())):
            yield str(page.relative_to(ROOT)), name


def targets(page: str) -> list[tuple[str, str]]:
    """The queries of a page, each with the target that stands before it. Errors: AssertionError for one without."""
    text = (ROOT / "docs" / page).read_text()
    found = re.findall(r"Target: `([<>=]=? [\d.]+)`\n\n```promql\n(.*?)\n```", text, re.DOTALL)
    assert len(found) == text.count("```promql"), f"{page}: a query without a target"
    return [(expression, target) for target, expression in found]


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE
    )
