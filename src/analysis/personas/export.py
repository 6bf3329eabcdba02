"""In which files do personas leave the notebook?

Takes the contents of cards (see docs/persona_schema.md), in one language or several. Writes a PDF, a picture, Markdown
and JSON of each, and a deck of slides for each language.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from analysis.errors import Problem
from analysis.personas import pages, slides, texts

#: Ending of a card's file -> what writes it.
_FORMS = {
    "pdf": pages.pdf,
    "png": pages.png,
    "md": lambda content: texts.markdown(content).encode(),
    "json": lambda content: texts.to_json(content).encode(),
}


def export(contents: Iterable[dict], folder: str | Path) -> list[Path]:
    """Write the cards as files to keep, send and import.

    Parameters
    ----------
    contents : iterable of dict
        See docs/persona_schema.md.
    folder : path
        Made where it is missing. Cards of the same languages that it held are replaced, and removed where their
        persona is gone; other files are left alone.

    Returns
    -------
    list of Path
        ``<language>/persona-<number>.pdf``, ``.png``, ``.md`` and ``.json`` of each, and ``personas-<language>.pptx``
        of each language. Names hold a number and nothing of the data.

    Raises
    ------
    Problem
        Two contents of one language have the same number: one would replace the other.

    Notes
    -----
    A file is written under a temporary name and renamed, so that a half-written one is never seen. The same contents
    give the same bytes.

    Examples
    --------
    >>> export([], "reports/none")
    []
    """
    folder, decks, written = Path(folder), {}, []
    for content in contents:
        of_language = decks.setdefault(content["language"], {})
        if content["persona"] in of_language:
            raise Problem(
                f"Two cards are of persona {content['persona']} in the language {content['language']}. "
                "Give each persona once per language, or export them into two folders."
            )
        of_language[content["persona"]] = content
    for language, cards in sorted(decks.items()):
        of = folder / language
        for number, content in sorted(cards.items()):
            written += [_written(of / f"persona-{number}.{form}", make(content)) for form, make in _FORMS.items()]
            pages.forget()
        for old in set(of.glob("persona-*")) - set(written):
            if re.fullmatch(rf"persona-\d+\.({'|'.join(_FORMS)})", old.name):
                old.unlink()
        deck = slides.deck([content for _, content in sorted(cards.items())])
        written.append(_written(folder / f"personas-{language}.pptx", deck))
    return written


def _written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(data)
    return unfinished.replace(path)
