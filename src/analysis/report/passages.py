"""Which parts of a lesson are in a notebook's text: how to read a figure, how it misleads, plain prose?

Takes a text as it was written and as the readers have it, paragraph by paragraph the same; gives its parts in order.
They are told by the words they begin with where they were written; a translation has the translation of those words.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from analysis.phrases import marked, phrase

#: The words that such a part begins with, and its kind.
LABELS = {
    marked("How to read it:"): "reading",
    marked("How it misleads:"): "caution",
    marked("How a card misleads:"): "caution",
}
#: The heading of what a chapter advises.
ADVICE = "What to do with this"


def passages(written: str, said: str) -> list[tuple[str, str]]:
    """The parts of a text as (kind, Markdown); the kind of plain prose is "".

    Parameters
    ----------
    written : str
        The text as it stands in the notebook.
    said : str
        The same in the language of the readers.

    Examples
    --------
    >>> passages(text := "Counted.\\n\\n*How to read it:* up is more. How it misleads: not always.", text)
    [('', 'Counted.'), ('reading', '**How to read it:** up is more.'), ('caution', '**How it misleads:** not always.')]
    """
    as_written, as_said = (re.split(r"\n\s*\n", text.strip()) for text in (written, said))
    if len(as_written) != len(as_said):
        return [("", said)]
    parts = [p for pair in zip(as_written, as_said, strict=True) for p in _parts(*pair)]
    return [(kind, "\n\n".join(text for _, text in run)) for kind, run in groupby(parts, itemgetter(0))]


def _parts(written: str, said: str) -> Iterator[tuple[str, str]]:
    """The parts of one paragraph."""
    found = [(_label(phrase(label), said), kind) for label, kind in LABELS.items() if _label(label, written)]
    starts = sorted(((at.start(), at, kind) for at, kind in found if at), key=itemgetter(0))
    if plain := said[: starts[0][0] if starts else None].strip():
        yield "", plain
    ends = [*(start for start, _, _ in starts), None][1:]
    for (_, at, kind), end in zip(starts, ends, strict=True):
        yield kind, f"**{at[1]}** {said[at.end() : end].strip()}"


def _label(label: str, text: str) -> re.Match | None:
    return re.search(rf"(?<!\S)\*?({re.escape(label)})\*?(?!\S)", text)
