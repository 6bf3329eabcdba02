"""One HTML book from a run: what was found first, then the chapters, then what it all rests on.

:func:`build` takes a run folder (``run.json`` and the executed notebooks) and writes ``index.html`` into it: a single
file that opens from disk, loads nothing, runs none of the notebooks' scripts, and is the same to the byte for the same
input. What a notebook can ask for:

- a code cell tagged ``summary``: its outputs are the chapter's key findings and come first in the book;
- cells tagged ``parameters`` or ``injected-parameters``, and cells of imports that print nothing: folded at the end;
- ``alt`` in an output's metadata: the text of a picture for those who do not see it; ``caption``: of a table;
- HTML of the classes ``cards``, ``card``, ``assumption``, ``measured`` and ``note``: see ``templates/book.css``.
"""

import base64
import hashlib
import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from analysis.errors import Problem
from analysis.phrases import counted, figure, from_the_right, marked, phrase, speaking, spoken, translated
from analysis.report.chapters import Chapter, chapter
from analysis.report.method import parameters, terms

if TYPE_CHECKING:
    from analysis.report.summary import Summary

_TEMPLATES = Path(__file__).parent / "templates"
_REASONS_SHOWN = 3


def build(run_dir: Path, previous: Path | None = None) -> Path:
    """Write the book of a run into its folder, whole or not at all.

    Parameters
    ----------
    run_dir : Path
        Folder that holds ``run.json`` and the notebooks which it names.
    previous : Path, optional
        Folder of an earlier run of the same source, to compare with on the first page.

    Returns
    -------
    Path
        ``run_dir/index.html``.

    Raises
    ------
    Problem
        If the folder has no readable ``run.json``. A notebook that is not there or cannot be read is no reason to
        withhold the others: its chapter says so.
    """
    run_dir = Path(run_dir)
    run = _run(run_dir / "run.json")
    book = run_dir / "index.html"
    part = book.with_name(".index.html.part")
    front = _front(run_dir, run, previous)
    part.write_text(page(run, _notebooks(run_dir, run), front), encoding="utf-8", newline="\n")
    part.replace(book)
    return book


def page(run: dict, notebooks: dict[str, dict | str], front: "Summary | None" = None) -> str:
    """The book as one HTML page.

    Parameters
    ----------
    run : dict
        ``run.json``, parsed.
    notebooks : dict
        Executed notebook (parsed JSON) of each chapter by the chapter's name; a text in its stead says why there is
        none.
    front : Summary, optional
        The content of the first page; without it, it says what the base is and what became of its rows.

    Returns
    -------
    str
    """
    entries = run.get("chapters") or []
    names = [e["name"] for e in entries]
    with speaking(run.get("language") or "en"):
        chapters = [_chapter_or_reason(e, notebooks.get(e["name"]), names) for e in entries]
        return (
            environment()
            .get_template("book.html")
            .render(
                run=run,
                language=spoken(),
                direction="rtl" if from_the_right() else "ltr",
                as_of=_day(run.get("as_of")),
                base=base_sentence(run),
                rows=rows_sentence(_accounts(run)),
                chapters=chapters,
                front=front,
                anchors=_anchors(chapters),
                terms=terms(),
                parameters=parameters(run, notebooks),
                absent=[c for c in chapters if c.status in ("failed", "missing")],
            )
        )


def base_sentence(run: dict) -> str:
    """The customer base of a run in one sentence.

    Examples
    --------
    >>> base_sentence({"title": "The bookshop", "as_of": "2026-03-20", "timezone": "Asia/Tehran", "currency": "toman",
    ...     "artefacts": {"profiles": {"rows": 5000}}, "row_accounts": [{"table": "orders", "kept": 22190}]})
    'The bookshop, as of 20 March 2026: 5,000 customers and 22,190 rows in one table; days are those of Asia/Tehran, \
amounts are in toman.'
    """
    accounts = _accounts(run)
    customers = ((run.get("artefacts") or {}).get("profiles") or {}).get("rows")
    size = [] if customers is None else [counted(customers, "customer")]
    if accounts:
        rows = counted(sum(a.get("kept") or 0 for a in accounts), "row")
        tables = phrase("one table") if len(accounts) == 1 else counted(len(accounts), "table")
        size.append(phrase("{rows} in {tables}", rows=rows, tables=tables))
    said = translated(run.get("title") or run.get("source") or "") or phrase("The customer base")
    if run.get("as_of"):
        said = phrase("{title}, as of {day}", title=said, day=_day(run["as_of"]))
    if size:
        said = phrase("{base}: {size}", base=said, size=phrase(" and ").join(size))
    terms = [phrase("days are those of {zone}", zone=run["timezone"])] if run.get("timezone") else []
    if run.get("currency"):
        terms.append(phrase("amounts are in {currency}", currency=_named(run["currency"], "currency")))
    if terms:
        said = phrase("{base}; {terms}", base=said, terms=phrase(", ").join(terms))
    return phrase("{sentence}.", sentence=said)


def rows_sentence(accounts: list[dict]) -> str:
    """What became of the rows, in one line: how many were read, kept and set aside, why, and whether that adds up.

    Examples
    --------
    >>> rows_sentence([{"table": "orders", "rows_in": 10, "kept": 7, "set_aside": 3, "reasons": {"no customer": 3}}])
    '10 rows were read: 7 kept, 3 set aside (orders, no customer: 3).'
    >>> rows_sentence([{"table": "orders", "rows_in": 10, "kept": 7, "set_aside": 2, "reasons": {"no customer": 2}}])
    '10 rows were read: 7 kept, 2 set aside (orders, no customer: 2). The account does not add up for orders.'
    """
    if not accounts:
        return ""
    read, kept, aside = (sum(a.get(k) or 0 for a in accounts) for k in ("rows_in", "kept", "set_aside"))
    wrong = [a["table"] for a in accounts if not adds_up(a)]
    rows = counted(read, "row")
    came = phrase("{rows} was read", rows=rows) if read == 1 else phrase("{rows} were read", rows=rows)
    if not aside and not wrong:
        return phrase("{came}: all were kept.", came=came)
    became = phrase("{kept:,} kept, {aside:,} set aside", kept=kept, aside=aside)
    because = phrase(" ({reasons})", reasons=reasons) if (reasons := _main_reasons(accounts)) else ""
    sentence = phrase("{came}: {became}{because}.", came=came, became=became, because=because)
    if wrong:
        sentence += " " + phrase("The account does not add up for {tables}.", tables=_listed(wrong))
    return sentence


def adds_up(account: dict) -> bool:
    """Whether a table's rows in are its rows kept and its rows set aside.

    Examples
    --------
    >>> adds_up({"rows_in": 10, "kept": 7, "set_aside": 3})
    True
    """
    return (account.get("rows_in") or 0) == (account.get("kept") or 0) + (account.get("set_aside") or 0)


def _run(path: Path) -> dict:
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(
            f"{path.parent} has no run.json, so there is nothing to report on. Name a run's folder."
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Problem(f"{path} cannot be read as JSON ({error}). Make the run again.") from None
    if not isinstance(run, dict):
        raise Problem(f"{path} should hold one JSON object; it holds a {type(run).__name__}. Make the run again.")
    return run


def _notebooks(run_dir: Path, run: dict) -> dict[str, dict | str]:
    """The executed notebook of each chapter, or why it cannot be shown; None where none was to be expected."""
    found = {}
    for entry in run.get("chapters") or []:
        path = entry.get("notebook") or f"notebooks/{entry['name']}.ipynb"
        try:
            notebook = json.loads((run_dir / path).read_text(encoding="utf-8"))
            readable = isinstance(notebook, dict) and isinstance(notebook.get("cells"), list)
            found[entry["name"]] = notebook if readable else f"{path} is not a notebook of format 4."
        except FileNotFoundError:
            found[entry["name"]] = f"{path} is not in the run's folder."
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            found[entry["name"]] = f"{path} cannot be read as a notebook: {error}."
    return found


def _front(run_dir: Path, run: dict, previous: Path | None) -> "Summary | None":
    """The content of the first page; None for a run of which nothing is left but its notebooks."""
    if not (run_dir / "data" / "base.json").is_file():
        return None
    from analysis.report.summary import summary  # here, as below: it brings pandas
    from analysis.run import Run

    with speaking(run.get("language") or "en"):
        return summary(Run(run_dir), previous)


def _anchors(chapters: list[Chapter]) -> dict[str, str]:
    """The places in the book that a link can lead to, and what stands there."""
    inside = {found: c.title for c in chapters for block in c.blocks for found in re.findall(r'\bid="([^"]+)"', block)}
    return inside | {c.name: c.title for c in chapters} | dict(section for c in chapters for section in c.sections)


def _chapter_or_reason(entry: dict, notebook: dict | str | None, names: list[str]) -> Chapter:
    """The chapter; without its notebook it counts as missing, for its own reason if the run gave one."""
    if isinstance(notebook, dict) and entry.get("status") != "missing":
        return chapter(entry, notebook, names)
    status = entry["status"] if entry.get("status") in ("failed", "missing") else "missing"
    return chapter(entry | {"status": status, "reason": entry.get("reason") or notebook or ""}, None, names)


def _accounts(run: dict) -> list[dict]:
    """The accounts of the tables that were read; what was made from their rows is no further row."""
    return [a for a in run.get("row_accounts") or [] if not a.get("derived")]


def _main_reasons(accounts: list[dict]) -> str:
    reasons = [(n, a["table"], why) for a in accounts for why, n in (a.get("reasons") or {}).items() if n]
    reasons.sort(key=lambda r: (-r[0], r[1], r[2]))
    shown = [
        phrase("{table}, {why}: {n:,}", table=_named(table), why=_named(why), n=n)
        for n, table, why in reasons[:_REASONS_SHOWN]
    ]
    rest = len(reasons) - len(shown)
    shown += [counted(rest, "other reason")] if rest else []
    return phrase("; ").join(shown)


def _day(day: str | None) -> str:
    from analysis import locale  # here and below: it brings pandas, which importing the report need not

    try:
        return locale.of(spoken()).date(date.fromisoformat(day[:10])) if day else ""
    except ValueError:
        return day


def _moment(moment: str) -> str:
    """A day and the time on it: in English as computers write it, elsewhere by the calendar of the readers."""
    day, _, clock = moment[:16].partition("T")
    return f"{day} {clock}" if spoken() == "en" else phrase("{day} at {clock}", day=_day(day), clock=figure(clock))


def _named(value: str, column: str = "") -> str:
    """A table, a reason or a currency as the readers call it."""
    from analysis.locale import named

    return named(value, column)


def _listed(words: list[str]) -> str:
    return phrase(", ").join(map(_named, words))


@cache
def environment() -> jinja2.Environment:
    """What renders the pages: the templates, their styles and scripts, and the words of the readers."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    files = {
        name: (_TEMPLATES / name).read_text(encoding="utf-8")
        for name in ("book.css", "summary.css", "theme.js", "book.js", "mark.svg")
    }
    environment.globals.update(
        css=Markup(files["book.css"] + files["summary.css"]),
        theme_js=Markup(files["theme.js"]),
        book_js=Markup(files["book.js"]),
        mark=Markup(files["mark.svg"]),
        icon=base64.b64encode(files["mark.svg"].encode()).decode(),
        # The page runs these two scripts and no other, whatever slips through the cleaning.
        script_hashes=[_script_hash(files[name]) for name in ("theme.js", "book.js")],
        adds_up=adds_up,
        marked=marked,
        phrase=phrase,
        translated=translated,
    )
    environment.filters.update(
        count=lambda n: "" if n is None else figure(f"{n:,}"), figure=figure, moment=_moment, named=_named, shown=_shown
    )
    return environment


def _script_hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _shown(value: object) -> str:
    """A parameter's value as the notebook would write it."""
    return value if isinstance(value, str) else repr(value)
