"""The examples of docs/api: a document, its variables and the answer that a reader is promised.

An answer is shown with two liberties, which the pages explain: `…` stands for text that differs each time or is left
out, as the last item of a list for the items that follow; and a number counts as right to the digits it shows.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import FragmentDefinitionNode, InlineFragmentNode, OperationDefinitionNode, parse
from graphql.language import FieldNode, SelectionSetNode

PAGES = Path(__file__).parents[2] / "docs" / "api"
LEFT_OUT = "…"
EXAMPLE = re.compile(
    r"```graphql\n(?P<document>.*?)```\n+(?:Variables:\n+```json\n(?P<variables>.*?)```\n+)?"
    r"Answer:\n+```json\n(?P<answer>.*?)```",
    re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """One example of a page."""

    page: str
    document: str
    variables: dict[str, Any]
    answer: dict[str, Any]

    @property
    def root_fields(self) -> set[str]:
        """The root fields it asks for."""
        return set(_root_fields(self.document))


def examples(page: str) -> list[Example]:
    """All examples of a page. Errors: AssertionError if a document there is no whole example."""
    text = (PAGES / page).read_text()
    found = [
        Example(page, each["document"], json.loads(each["variables"] or "{}"), json.loads(each["answer"]))
        for each in EXAMPLE.finditer(text)
    ]
    assert len(found) == text.count("```graphql"), f"{page}: a document without its answer"
    return found


def differences(shown: Any, real: Any, place: str = "answer") -> Iterator[str]:
    """Where a real answer is not what is shown."""
    if isinstance(shown, dict) and isinstance(real, dict):
        if list(shown) != list(real):
            yield f"{place}: fields {list(shown)}, really {list(real)}"
        for name in shown.keys() & real.keys():
            yield from differences(shown[name], real[name], f"{place}.{name}")
    elif isinstance(shown, list) and isinstance(real, list):
        yield from _of_lists(shown, real, place)
    elif not _same(shown, real):
        yield f"{place}: {shown!r}, really {real!r}"


def _of_lists(shown: list[Any], real: list[Any], place: str) -> Iterator[str]:
    told = shown[:-1] if shown[-1:] == [LEFT_OUT] else shown
    further = len(real) - len(told)
    if further < 0 or (further > 0) != (told is not shown):
        yield f"{place}: {len(told)} items, really {len(real)}"
    for number, (one, other) in enumerate(zip(told, real, strict=False)):
        yield from differences(one, other, f"{place}[{number}]")


def _same(shown: Any, real: Any) -> bool:
    if isinstance(shown, str) and isinstance(real, str):
        pattern = ".+".join(re.escape(part) for part in shown.split(LEFT_OUT))
        return re.fullmatch(pattern, real, re.DOTALL) is not None
    if isinstance(shown, float) and isinstance(real, float):
        digits = len(str(shown).partition(".")[2])
        return round(real, digits) == shown
    return type(shown) is type(real) and bool(shown == real)


def _root_fields(document: str) -> Iterator[str]:
    definitions = parse(document).definitions
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}

    def walked(selection: SelectionSetNode) -> Iterator[str]:
        for each in selection.selections:
            if isinstance(each, FieldNode):
                yield each.name.value
            else:
                inner = each if isinstance(each, InlineFragmentNode) else fragments[each.name.value]
                yield from walked(inner.selection_set)

    for operation in definitions:
        if isinstance(operation, OperationDefinitionNode):
            yield from walked(operation.selection_set)
