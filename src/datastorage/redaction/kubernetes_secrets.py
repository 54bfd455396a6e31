"""Kubernetes Secrets in text: the values below `data` and `stringData`, as YAML or as JSON.

A document counts when it says `kind: Secret` anywhere, since `data` comes before `kind` in what
kubectl prints. Names of the entries are kept: they say which secret was wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

import re2

from datastorage.redaction import values
from datastorage.redaction.pattern import Span

KIND_SECRET: Final = rf"\bkind(?:{values.QUOTE})?\s*:\s*(?:{values.QUOTE})?Secret(?:List)?\b"

_SEPARATOR: Final = re2.compile(r"(?:\A|\n)---[ \t]*(?:\n|\z)")
_YAML_DATA: Final = re2.compile(r"\A([ \t]*(?:- )?)(?:data|stringData):[ \t\r]*\z")
_YAML_ENTRY: Final = re2.compile(r"\A[ \t]*[\"']?[\w.-]+[\"']?:[ \t]+(\S.*?)[ \t\r]*\z")
_BLOCK_SCALAR: Final = re2.compile(r"\A[|>][-+0-9]*\z")
_NO_VALUE: Final = frozenset((b'""', b"''", b"null", b"~"))
_JSON_DATA: Final = re2.compile(
    r"\b(?:data|stringData)(?:"
    rf"\\+\"\s*:\s*\{{(?P<escaped>(?:\s*,?\s*\\+\"[^\"]*\"\s*:\s*\\+\"{values.IN_ESCAPED}\\*\"?)*)"
    rf"|\"\s*:\s*\{{(?P<plain>(?:\s*,?\s*\"{values.IN_DOUBLE}\"\s*:\s*\"{values.IN_DOUBLE}\"?)*)"
    r"|:[ \t]*\{(?P<flow>[^{}]*))"
)
_JSON_VALUE: Final = {
    "escaped": re2.compile(rf"\\+\"[^\"]*\"\s*:\s*\\+\"({values.IN_ESCAPED})"),
    "plain": re2.compile(rf"\"{values.IN_DOUBLE}\"\s*:\s*\"({values.IN_DOUBLE})"),
    "flow": re2.compile(r":[ \t]*[\"']?([^\s\"',]+)"),
}

_STYLES: Final = _JSON_DATA.groupindex


def secret_data(text: bytes, kinds: Iterable[Span]) -> Iterator[Span]:
    """The values of every Secret, one span each."""
    said = [start for start, _ in kinds]
    breaks = [0, *(match.start() for match in _SEPARATOR.finditer(text)), len(text)]
    for start, end in pairwise(breaks):
        if bisect_left(said, start) < bisect_left(said, end):
            yield from _json_values(text, start, end)
            yield from _yaml_values(text, start, end)


def _json_values(text: bytes, start: int, end: int) -> Iterator[Span]:
    for data in _JSON_DATA.finditer(text, start, end):
        for style, member in _JSON_VALUE.items():
            inside = data.span(_STYLES[style])
            if inside[0] < 0:
                continue
            for entry in member.finditer(text, *inside):
                if entry[1]:
                    yield entry.span(1)


def _yaml_values(text: bytes, start: int, end: int) -> Iterator[Span]:
    """Line by line: an entry is deeper than its `data:`, the lines of a block scalar deeper than their entry."""
    data_depth = scalar_depth = -1
    for offset, line in _lines(text, start, end):
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip(b" \t"))
        if scalar_depth >= 0 and depth > scalar_depth:
            yield offset + depth, offset + len(line.rstrip())
            continue
        scalar_depth = -1
        if opened := _YAML_DATA.search(line):
            data_depth = len(opened[1])
        elif depth <= data_depth:
            data_depth = -1
        elif data_depth >= 0 and (entry := _YAML_ENTRY.search(line)):
            if _BLOCK_SCALAR.search(entry[1]):
                scalar_depth = depth
            elif entry[1] not in _NO_VALUE:
                yield offset + entry.start(1), offset + entry.end(1)


def _lines(text: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    while start < end:
        stop = text.find(b"\n", start, end)
        stop = end if stop < 0 else stop
        yield start, text[start:stop]
        start = stop + 1
