import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from datastorage.embedding.wordllama_files import SHA256, TOKENIZER, WEIGHTS, WordllamaFiles
from datastorage.errors import StartupError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the two files, to be damaged."""
    for name in SHA256:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(WordllamaFiles.find().folder / name, tmp_path / name)
    return tmp_path


def test_the_mapped_table_is_the_one_in_the_file() -> None:
    files = WordllamaFiles.find()

    table = files.token_vectors()

    assert (table.shape, table.dtype) == ((32_000, 256), np.dtype(np.float16))
    assert np.array_equal(table, load_file(files.folder / WEIGHTS)["embedding.weight"])


def test_an_intact_copy_is_accepted(copy: Path) -> None:
    assert WordllamaFiles.check(copy).tokenizer == copy / TOKENIZER


@pytest.mark.parametrize("name", [TOKENIZER, WEIGHTS])
def test_a_missing_file_says_how_to_mend_it(copy: Path, name: Path) -> None:
    (copy / name).unlink()

    with pytest.raises(StartupError, match=f"cannot be read: .*{name.name}.* Reinstall it with `pip install"):
        WordllamaFiles.check(copy)


@pytest.mark.parametrize("name", [TOKENIZER, WEIGHTS])
def test_a_changed_file_is_refused(copy: Path, name: Path) -> None:
    with (copy / name).open("ab") as file:
        file.write(b" ")

    with pytest.raises(StartupError, match=f"has changed: .*{name.name} has SHA-256 .* Reinstall it with"):
        WordllamaFiles.check(copy)


def test_a_table_of_another_shape_is_refused(tmp_path: Path) -> None:
    header = b'{"embedding.weight":{"dtype":"F16","shape":[32000,128],"data_offsets":[0,8192000]}}'
    (tmp_path / WEIGHTS).parent.mkdir()
    (tmp_path / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header)

    with pytest.raises(StartupError, match=r"another shape: .*128"):
        WordllamaFiles(tmp_path).token_vectors()


def test_without_the_package_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(StartupError, match="package wordllama is not installed"):
        WordllamaFiles.find()


def test_loading_imports_no_wordllama_and_leaves_logging_alone() -> None:
    program = (
        "import sys, logging; from datastorage.embedding import StaticProvider; StaticProvider.load();"
        "print('wordllama' in sys.modules, 'requests' in sys.modules, logging.getLogger().handlers)"
    )

    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert (seen.stdout, seen.stderr) == ("False False []\n", "")
