"""What all tests share: where real data lies, and a customer base in three lines."""

import os
from pathlib import Path

import pytest

from analysis import bookshop

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real customer bases; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("MOSHTARI_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "SHA256SUMS").is_file():
        pytest.skip(f"no real data: set MOSHTARI_DATA to a folder that has it (looked in {folder})")
    return folder


@pytest.fixture(scope="session")
def worlds():
    """Five bookshops of the usual size, by seed; no test may change them."""
    return {seed: bookshop.build(seed=seed) for seed in (1, 2, 3, 4, 5)}


@pytest.fixture(scope="session")
def world(worlds):
    """The first of the five bookshops."""
    return worlds[1]


@pytest.fixture
def base_of(tmp_path):
    """Write files and a mapping over them: ``base_of(orders="id;who;…")`` gives the mapping's path."""

    def write(mapping: str, encoding: str = "utf-8", **files: str | bytes) -> Path:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode(encoding)
            (tmp_path / f"{name}.csv").write_bytes(data)
        head = 'name = "small"\ntimezone = "Asia/Tehran"\ncurrency = "toman"\n'
        file = tmp_path / "small.toml"
        file.write_text(head + mapping, encoding="utf-8")
        return file

    write.folder = tmp_path
    return write
