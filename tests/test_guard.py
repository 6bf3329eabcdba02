"""The guard over checked notebook cells does guard."""

import subprocess
import sys

import nbformat
import pytest

from conftest import ROOT

HEAD = "print(1 + 1)"


@pytest.mark.parametrize(
    ("outputs", "count", "code"),
    [
        ([], None, 1),  # never run: nbval alone would pass it
        ([nbformat.v4.new_output("stream", text="2\n")], None, 1),  # no execution count: likewise
        ([nbformat.v4.new_output("stream", text="3\n")], 1, 1),  # another figure
        ([nbformat.v4.new_output("stream", text="2\n")], 1, 0),
    ],
    ids=["no output", "no execution count", "another output", "the same output"],
)
def test_a_checked_cell_without_stored_output_fails(tmp_path, outputs, count, code):
    tags = {"tags": ["keep_output", "nbval-check-output"]}
    cell = nbformat.v4.new_code_cell(HEAD, metadata=tags, outputs=outputs, execution_count=count)
    book = nbformat.v4.new_notebook(cells=[cell])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, tmp_path / "one.ipynb")
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval-lax",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
        "one.ipynb",
    ]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == code, found.stdout
