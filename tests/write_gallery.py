"""Draw the gallery: every figure function on the bookshop, with the line of code that made it.

    .venv/bin/python tests/write_gallery.py

Runs the notebooks as they are and keeps the first figure of each function, so the gallery shows what the chapters show.
Writes `docs/gallery.md` and the pictures beside it.
"""

import ast
import inspect
import io
import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from PIL import Image

from analysis import plots

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"

#: Figures that no chapter shows, drawn from what a chapter has made.
MORE = {
    "4_journeys": [
        "plots.transitions(moves, source=base.title)",
        "plots.win_curve(deals.curve, source=base.title)",
    ]
}

_OPENING = """# Gallery

Every figure of Moshtari, drawn on the bookshop, with the line of code that drew it. Each function takes a table and
gives matplotlib's `Axes`; `plots.theme()` once at the top of a notebook sets the look. Titles are findings, so they
change with the data; greys are everybody, amber is the group in question, thin lines are 95 % intervals. The tables
come from the notebooks: look there for the lines before. `tests/write_gallery.py` draws all of this anew.

"""
_PIXELS_PER_INCH, _COLOURS = 90, 64


def figures() -> list[str]:
    """The public functions that draw a figure."""
    found = [name for name in plots.__all__ if inspect.isfunction(getattr(plots, name))]
    return [n for n in found if inspect.signature(getattr(plots, n)).return_annotation in (Axes, "Axes")]


def write() -> list[str]:
    """Draw all; the functions of which no figure came about."""
    mpl.use("agg")
    GALLERY.mkdir(exist_ok=True)
    drawn: dict[str, str] = {}
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        _draw_a_chapter(notebook, drawn)
    entries = [_entry(name, drawn[name]) for name in figures() if name in drawn]
    (ROOT / "docs" / "gallery.md").write_text(_OPENING + "\n".join(entries), encoding="utf-8")
    return [name for name in figures() if name not in drawn]


def _draw_a_chapter(notebook: Path, drawn: dict[str, str]) -> None:
    """Run a notebook's cells here, and keep the first figure of each function."""
    names: dict[str, object] = {}
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    calling: list[str] = []
    for name in figures():
        setattr(plots, name, _kept(getattr(plots, name), calling, drawn))
    try:
        for source in [*sources, *MORE.get(notebook.stem, [])]:
            calling[:] = [source]
            exec(compile(source, notebook.name, "exec"), names)
            mpl.pyplot.close("all")
    finally:
        for name in figures():
            setattr(plots, name, getattr(plots, name).__wrapped__)


def _kept(function: Callable[..., Axes], calling: list[str], drawn: dict[str, str]) -> Callable[..., Axes]:
    """The function, which from now on leaves its first real figure and the line that asked for it in the gallery."""

    @wraps(function)
    def kept(*given, **named) -> Axes:
        axes = function(*given, **named)
        line = _line_that_calls(function.__name__, calling[0])
        if function.__name__ not in drawn and line and not axes.get_title().startswith("Nothing to show"):
            _save(axes, GALLERY / f"{function.__name__}.png")
            drawn[function.__name__] = line
        return axes

    return kept


def _line_that_calls(name: str, source: str) -> str:
    calls = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call))
    found = next((c for c in calls if ast.unparse(c.func) == f"plots.{name}"), None)
    return " ".join(ast.get_source_segment(source, found).split()) if found else ""


def _save(axes: Axes, file: Path) -> None:
    buffer = io.BytesIO()
    axes.figure.savefig(buffer, format="png", dpi=_PIXELS_PER_INCH, bbox_inches="tight", pad_inches=0.08)
    Image.open(buffer).convert("RGB").quantize(_COLOURS).save(file, optimize=True)


def _entry(name: str, line: str) -> str:
    function = getattr(plots, name)
    about = inspect.getdoc(function).partition("\n")[0]
    alt = f"{name}: {about}".replace("[", "(").replace("]", ")")
    return f"## `{name}`\n\n{about}\n\n```python\n{line}\n```\n\n![{alt}](gallery/{name}.png)\n"


if __name__ == "__main__":
    print("No figure of:", ", ".join(write()) or "none")
