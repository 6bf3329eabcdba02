"""Bring the Persian catalogues in step with the code and the notebooks.

    .venv/bin/python tests/renew_translations.py

Adds what is new with an empty translation, drops what is said no more, and prints what is left to translate. One
catalogue per concept: of the package's folder, its figures, its notebook and the mappings that come with the package.
`columns.po` is kept by hand: it says what the columns of tables are called, by their names.
"""

import io
import json
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from analysis.report.method import meanings
from analysis.schema import BOUGHT, PROFILE_COLUMNS, SCORE, TABLES, THROUGH, profile_column

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "analysis"
CATALOGUES = PACKAGE / "locale" / "fa"
KEYWORDS = {"phrase": None, "marked": None, "counted": (2,)}

#: Figures and modules whose concept their folder does not tell.
CONCEPTS = {
    **dict.fromkeys(("plots/data.py", "quality", "sources", "schema.py", "vocabulary.py"), "data"),
    **dict.fromkeys(("plots/decision.py", "plots/segments.py", "plots/priority.py"), "segments"),
    **dict.fromkeys(
        [f"plots/{f}.py" for f in ("journeys", "ways", "flow", "attribution", "deals", "journey_map", "mismatch")],
        "journeys",
    ),
    **dict.fromkeys(("plots/profiles.py", "profiles"), "profiles"),
    **dict.fromkeys(("plots/personas.py",), "personas"),
    **{concept: concept for concept in ("segments", "personas", "journeys")},
}


def said() -> dict[str, dict[str, list[str]]]:
    """Concept → English text → the files that say it."""
    found: dict[str, dict[str, list[str]]] = {}

    def add(concept: str, text: str, file: Path) -> None:
        files = found.setdefault(concept, {}).setdefault(text, [])
        name = file.relative_to(ROOT).as_posix()
        if name not in files:
            files.append(name)

    for file in sorted(PACKAGE.rglob("*.py")):
        for text in _phrases("python", file.read_bytes()):
            add(concept_of(file), text, file)
    for text in _of_columns():
        add("profiles", text, PACKAGE / "schema.py")
    for file in sorted(PACKAGE.rglob("*.html")):
        for text in _phrases("jinja2.ext:babel_extract", file.read_bytes()):
            add(concept_of(file), text, file)
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        concept = file.stem.partition("_")[2]
        for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            texts = [source.strip()] if cell["cell_type"] == "markdown" else _phrases("python", source.encode())
            texts += meanings(source) if "parameters" in cell["metadata"].get("tags", []) else []
            for text in texts:
                add(concept, text, file)
    for file in sorted((PACKAGE / "sources" / "mappings").glob("*.toml")):
        mapping = tomllib.loads(file.read_text(encoding="utf-8"))
        reasons = [reason for table in mapping["tables"].values() for reason in table.get("set_aside", {})]
        for text in (mapping["title"], *reasons):
            add(concept_of(file), text, file)
    return _each_once(found)


def concept_of(file: Path) -> str:
    """The catalogue of a module: the concept's, or the report's for what all share."""
    inside = file.relative_to(PACKAGE).as_posix()
    return CONCEPTS.get(inside) or CONCEPTS.get(inside.split("/")[0]) or "report"


def read(concept: str) -> Catalog:
    """A catalogue as it stands."""
    file = CATALOGUES / f"{concept}.po"
    if not file.is_file():
        return Catalog(locale="fa")
    with file.open("rb") as f:
        return read_po(f, locale="fa")


def renew() -> list[str]:
    """Rewrite the catalogues; what has no translation yet."""
    open_yet = []
    texts = said()
    sentences = [file for file in CATALOGUES.glob("*.po") if file.stem != "columns"]
    known = {m.id: m.string for file in sentences for m in read(file.stem) if m.id and m.string}
    for stale in {file.stem for file in CATALOGUES.glob("*.po")} - set(texts) - {"columns"}:
        (CATALOGUES / f"{stale}.po").unlink()
    for concept, of_concept in texts.items():
        catalogue = _empty()
        for text, files in of_concept.items():
            catalogue.add(text, known.get(text, ""), locations=[(f, None) for f in files])
            open_yet += [] if known.get(text) else [f"{concept}: {text[:100]}"]
        _write(concept, catalogue)
    columns = _empty()
    for message in sorted((m for m in read("columns") if m.id), key=lambda m: m.id):
        columns.add(message.id, message.string)
    _write("columns", columns)
    return open_yet


def _phrases(method: str, source: bytes) -> list[str]:
    texts = [message for _, message, _, _ in extract(method, io.BytesIO(source), KEYWORDS)]
    return [t for t in (t if isinstance(t, str) else t[0] for t in texts) if t]


def _of_columns() -> list[str]:
    """What the columns of the profiles are, which the schema says."""
    specs = [profile_column(column) for column in (*PROFILE_COLUMNS, SCORE, BOUGHT, THROUGH)]
    own = profile_column("a base's own field").definition.removesuffix(", as recorded")
    recorded = [column.meaning for column in TABLES["customers"].columns if not column.personal]
    return [*recorded, own, *(text for spec in specs for text in (spec.unit, spec.definition, spec.empty) if text)]


def _each_once(found: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    """A text that several concepts say stands in the catalogue of what all share."""
    of_text: dict[str, set[str]] = {}
    for concept, texts in found.items():
        for text in texts:
            of_text.setdefault(text, set()).add(concept)
    once: dict[str, dict[str, list[str]]] = {}
    for concept, texts in found.items():
        for text, files in texts.items():
            home = concept if len(of_text[text]) == 1 else "report"
            once.setdefault(home, {}).setdefault(text, []).extend(files)
    return {concept: dict(sorted(texts.items())) for concept, texts in sorted(once.items())}


def _empty() -> Catalog:
    day = datetime(2026, 1, 1, tzinfo=UTC)  # always the same: a catalogue changes when its texts do
    return Catalog(
        locale="fa",
        project="Moshtari",
        version="0",
        charset="utf-8",
        fuzzy=False,
        creation_date=day,
        revision_date=day,
        header_comment="# What Moshtari says, in Persian.",
        msgid_bugs_address="none",
        last_translator="Moshtari",
        language_team="Persian",
    )


def _write(concept: str, catalogue: Catalog) -> None:
    CATALOGUES.mkdir(exist_ok=True)
    with (CATALOGUES / f"{concept}.po").open("wb") as f:
        write_po(f, catalogue, width=120, include_lineno=False)


if __name__ == "__main__":
    left = renew()
    print(*left, sep="\n")
    print(f"{len(left)} without a translation", file=sys.stderr)
