"""Lines of JSONL files, plain or gzipped, one by one: a file of any size in constant memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Self

from datastorage.limits import IMPORT_LINE_BYTES_MAX
from datastorage.services.import_records import Line

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"  # what Windows programs put in front of UTF-8
_READ_BYTES: Final = IMPORT_LINE_BYTES_MAX + len(b"\r\n")


class JsonLines(AbstractContextManager["JsonLines"]):
    """The lines of one file. Where it is damaged, they end, and `damage` says why."""

    def __init__(self, file: Path) -> None:
        self._raw = file.open("rb")
        packed = file.suffix == ".gz"
        self._lines: io.BufferedIOBase = gzip.GzipFile(fileobj=self._raw) if packed else self._raw
        self.size_bytes = file.stat().st_size if file.is_file() else None  # a pipe has none
        self.number = 0
        self.damage: str | None = None

    @property
    def bytes_read(self) -> int:
        """Position in the file as it lies on disk."""
        return 0 if self.size_bytes is None else self._raw.tell()

    def __iter__(self) -> Iterator[Line]:
        """Numbered from 1. What is too long for a record is handed on cut."""
        try:
            while content := self._lines.readline(_READ_BYTES):
                self.number += 1
                if self.number == 1:
                    content = content.removeprefix(_BYTE_ORDER_MARK)
                self._skip_rest(content)
                yield Line(self.number, content)
        except (OSError, EOFError, zlib.error) as error:
            self.number += 1
            self.damage = f"line: cannot be read, and nothing after it: {error}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._raw.close()

    def _skip_rest(self, content: bytes) -> None:
        while not content.endswith(b"\n") and (content := self._lines.readline(_READ_BYTES)):
            pass
