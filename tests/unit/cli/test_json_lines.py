"""Reading JSONL files line by line, whatever is in them."""

import gzip
from pathlib import Path

import pytest

from datastorage.cli.json_lines import JsonLines
from datastorage.limits import IMPORT_LINE_BYTES_MAX


def numbered(file: Path) -> list[tuple[int, bytes]]:
    with JsonLines(file) as lines:
        found = [(line.number, line.content) for line in lines]
        assert lines.damage is None
        assert lines.bytes_read == lines.size_bytes == file.stat().st_size
    return found


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a", [(1, b"a")]),
        (b"a\n", [(1, b"a\n")]),
        (b"a\r\n\nb", [(1, b"a\r\n"), (2, b"\n"), (3, b"b")]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", [(1, b"a\n"), (2, b"\xef\xbb\xbfb\n")]),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_lines_are_numbered_from_one(
    tmp_path: Path, content: bytes, lines: list[tuple[int, bytes]], packed: bool
) -> None:
    file = tmp_path / ("a.jsonl.gz" if packed else "a.jsonl")
    file.write_bytes(gzip.compress(content) if packed else content)

    assert numbered(file) == lines


def test_parts_of_a_packed_file_that_were_put_together_are_one_file(tmp_path: Path) -> None:
    file = tmp_path / "a.gz"
    file.write_bytes(gzip.compress(b"a\nb") + gzip.compress(b"c\n"))

    assert numbered(file) == [(1, b"a\n"), (2, b"bc\n")]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b""])
def test_the_longest_line_is_whole_and_a_longer_one_is_cut(tmp_path: Path, ending: bytes) -> None:
    file = tmp_path / "a.jsonl"
    longest, longer = b"x" * IMPORT_LINE_BYTES_MAX + ending, b"y" * (3 * IMPORT_LINE_BYTES_MAX) + b"\n"
    file.write_bytes(longer + b"a\n" + longest)

    cut, short, whole = numbered(file)

    assert len(cut[1]) == IMPORT_LINE_BYTES_MAX + 2
    assert short == (2, b"a\n")
    assert whole == (3, longest)


@pytest.mark.parametrize(
    ("keep", "read", "why"),
    [(-1, 3, "Compressed file ended"), (-8, 3, "Compressed file ended"), (10, 0, "Compressed file ended")],
)
def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(
    tmp_path: Path, keep: int, read: int, why: str
) -> None:
    file = tmp_path / "a.gz"
    file.write_bytes(gzip.compress(b"a\nb\nc\n")[:keep])

    with JsonLines(file) as lines:
        found = [line.number for line in lines]

    assert found == list(range(1, read + 1))
    assert lines.number == read + 1
    assert lines.damage.startswith(f"line: cannot be read, and nothing after it: {why}")
