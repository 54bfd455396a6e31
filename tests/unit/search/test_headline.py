import pytest

from datastorage.search import split_headline


@pytest.mark.parametrize(
    ("text", "headline", "rest"),
    [
        ("Disk full", "Disk full", ""),
        ("Disk full\nno space left on /var", "Disk full", "no space left on /var"),
        ("\n \n  Disk full \r\n\r\n  at write()\n  at flush()\n", "Disk full", "at write()\n  at flush()"),
        ("", "", ""),
        (" \n\t", "", ""),
        ("满了\n磁盘", "满了", "磁盘"),
    ],
)
def test_the_first_line_with_something_on_it_is_the_headline(text: str, headline: str, rest: str) -> None:
    assert split_headline(text) == (headline, rest)
