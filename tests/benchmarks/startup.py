"""What starting costs: the imports of the chapters, and the sample's whole report against its notebooks' bare imports.

Nothing of the package is imported at the top: each function is measured in a fresh process, and what it imports is part
of what it costs.
"""

import ast
import json
import shutil
import time
from pathlib import Path


def import_statements(notebook: Path) -> str:
    """The import statements of a notebook's code cells, one a line."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    trees = [ast.parse("".join(c["source"])) for c in cells if c["cell_type"] == "code"]
    return "\n".join(ast.unparse(s) for t in trees for s in t.body if isinstance(s, ast.Import | ast.ImportFrom))


def write_bare_notebook(notebook: Path, folder: Path) -> None:
    """A notebook of the same name with nothing but the imports, in one cell."""
    bare = json.loads(notebook.read_text(encoding="utf-8"))
    cell = {"cell_type": "code", "id": "imports", "metadata": {}, "execution_count": None, "outputs": []}
    bare["cells"] = [{**cell, "source": import_statements(notebook)}]
    Path(folder, notebook.name).write_text(json.dumps(bare), encoding="utf-8")


def importing(statements: str) -> dict[str, float]:
    """Seconds that import statements take when pandas is there already."""
    import pandas  # noqa: F401

    started = time.perf_counter()
    exec(statements, {})
    return {"imports": time.perf_counter() - started}


def report(folder: str) -> None:
    """Make the sample's report anew, reading included; stop unless every chapter was made."""
    from analysis import pipeline

    shutil.rmtree(folder, ignore_errors=True)
    _, outcomes = pipeline.make_report("bookshop", out=Path(folder), force=True)
    if not_made := [f"{o.chapter.name} {o.status}: {o.reason}" for o in outcomes if o.status != "made"]:
        raise SystemExit("\n".join(not_made))


def bare_notebooks(folder: str) -> None:
    """Execute the bare notebooks in order, as papermill's own interface does it."""
    import papermill

    for notebook in sorted(Path(folder).glob("*.ipynb")):
        executed = notebook.parent / "executed" / notebook.name
        executed.parent.mkdir(exist_ok=True)
        papermill.execute_notebook(notebook, executed, kernel_name="python3", progress_bar=False)
