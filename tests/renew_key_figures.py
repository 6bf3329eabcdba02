"""Store anew the outputs of the notebooks' checked cells, from the bookshop's run; look at what moved, then commit."""

from pathlib import Path

import nbformat

from analysis.pipeline import CHAPTERS, make_report

KEEP = "keep_output"


def renew() -> None:
    run, _ = make_report("bookshop")
    for chapter in CHAPTERS:
        notebook = nbformat.read(chapter.notebook, as_version=4)
        executed = nbformat.read(run.folder / "notebooks" / f"{chapter.name}.ipynb", as_version=4)
        outputs = {c.source: c.outputs for c in executed.cells if KEEP in c.metadata.get("tags", ())}
        for number, cell in enumerate(notebook.cells):
            if KEEP in cell.metadata.get("tags", ()):
                cell.outputs, cell.execution_count = outputs[cell.source], number
                for output in cell.outputs:
                    if "execution_count" in output:
                        output.execution_count = number
        nbformat.write(notebook, Path(chapter.notebook))


if __name__ == "__main__":
    renew()
