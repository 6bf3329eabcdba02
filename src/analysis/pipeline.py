"""The chapters: which notebook reads and writes what, and how they are run, resumed and stamped.

:func:`make_report` reads a base, runs the notebooks that are out of date and binds the book. A chapter is out of date
when its notebook, its parameters, the package, a library or a table that it reads has changed, or when it did not end
cleanly; its stamp is written last, so a run killed at any moment is continued correctly by the next.
"""

import ast
import json
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock

from analysis import __version__, places, report
from analysis.errors import Problem, did_you_mean
from analysis.kernels import Kernels
from analysis.phrases import marked
from analysis.run import (
    Run,
    earlier,
    exclusive,
    file_digest,
    make_folder,
    package_digest,
    prepare,
    read_already,
    versions,
    write_json,
)


@dataclass(frozen=True)
class Chapter:
    """A notebook and its place in the whole.

    Attributes
    ----------
    reads : tuple of str
        Artefacts of earlier chapters that it cannot do without; the canonical tables are there for all.
    uses : tuple of str
        Artefacts that it takes into account when they are there.
    writes : tuple of str
    may_write : tuple of str
        Artefacts that only some bases allow.
    edited : tuple of str
        Files in the run's folder that people edit and the chapter goes by.
    """

    name: str
    title: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    uses: tuple[str, ...] = ()
    may_write: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()

    @property
    def artefacts(self) -> tuple[str, ...]:
        return self.writes + self.may_write

    @property
    def notebook(self) -> Path:
        return places.NOTEBOOKS / f"{self.name}.ipynb"


CHAPTERS = (
    Chapter("0_data", marked("Data"), reads=(), writes=("quality",)),
    Chapter(
        "1_profiles", marked("Profiles"), reads=(), writes=("profiles",), may_write=("ideal_lifts", "ideal_scores")
    ),
    Chapter(
        "2_segments",
        marked("Segments"),
        reads=("profiles",),
        writes=("segments", "segment_summary", "rule_segments"),
        edited=("segment_names.toml",),
    ),
    Chapter(
        "3_personas",
        marked("Personas"),
        reads=("profiles", "segments"),
        writes=("personas", "persona_traits", "persona_exemplars"),
        edited=("personas.toml",),
    ),
    Chapter(
        "4_journeys",
        marked("Journeys"),
        reads=(),
        uses=("segments", "personas", "persona_traits"),
        writes=("funnel", "transitions", "journey_map", "opportunities"),
        may_write=("attribution",),
    ),
)


#: What says of an earlier run which personas it had; the chapter on personas compares itself with it.
PREVIOUS = ("3_personas", "previous", ("personas", "persona_traits", "profiles", "segments"))

#: Reports are bound one at a time: each speaks its own language, and a process one at once.
_BINDING = Lock()

#: Seconds that a notebook opened on its own waits for another one, opened beside it, to make what both need.
NOTEBOOK_PATIENCE = 600


@dataclass(frozen=True)
class Outcome:
    """How a chapter ended: made, unchanged, failed or missing; and why, where it is not there."""

    chapter: Chapter
    status: str
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Plan:
    """What is to be made of a base; made and checked by :func:`planned`.

    Attributes
    ----------
    chapters : tuple of Chapter
        Those to make where they are out of date.
    forced : tuple of Chapter
        Those to make even so.
    given : dict of str to dict
        Chapter → parameter → value.
    seed : int
    bound : bool
        Whether a book is made of them: not for a notebook that was opened on its own.
    """

    chapters: tuple[Chapter, ...]
    forced: tuple[Chapter, ...]
    given: Mapping[str, Mapping[str, object]]
    seed: int
    bound: bool = True


def planned(
    only: Sequence[str] = (),
    before: str = "",
    force: bool = False,
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    seed: int = 1,
) -> Plan:
    """What is to be made, its names and values checked before anything runs; see :func:`make_report`."""
    asked = _named(only) if only else list(CHAPTERS)
    chapters = _needed(_named([before]), itself=False) if before else _needed(asked)
    forced = [c for c in chapters if force and c in asked]
    return Plan(tuple(chapters), tuple(forced), _checked_overrides(overrides or {}), seed, bound=not before)


def make_report(
    source: str = "bookshop",
    as_of: date | None = None,
    data: Path | None = None,
    seed: int = 1,
    out: Path | None = None,
    only: Sequence[str] = (),
    before: str = "",
    force: bool = False,
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    language: str = "en",
    previous: Path | None = None,
) -> tuple[Run, list[Outcome]]:
    """Read a base, run the chapters that are out of date, bind the report.

    Parameters
    ----------
    source, as_of, data, seed, out, language
        As in :func:`analysis.run.prepare`.
    only : sequence of str
        Chapters to make, with what they need; default all.
    before : str
        Make only what this chapter needs: not the chapter itself, and no book.
    force : bool
        Run the chapters even where nothing has changed.
    overrides : dict of str to dict
        Chapter → parameter → value as typed; checked against the notebook's own parameters before anything runs.
    previous : Path, optional
        Folder of an earlier run to compare with; default: the last one of the same source.

    Returns
    -------
    run : Run
    outcomes : list of Outcome, in the order of the chapters
    """
    plan = planned(only, before, force, overrides, seed)
    patience = NOTEBOOK_PATIENCE if before else 0
    with Kernels() as kernels:
        run = read_already(source, as_of, data, seed, out, language)
        if run is None:
            for chapter in plan.chapters[: kernels.most]:
                kernels.start(_imports(chapter))  # they start while the base is read
            run = prepare(source, as_of, data, seed, out, language, patience)
        return run, make_book(run, plan, kernels, earlier(run, previous), patience)


def make_book(
    run: Run, plan: Plan, kernels: Kernels, previous: Path | None = None, patience: float = 0
) -> list[Outcome]:
    """Run the chapters of a run that are out of date and bind its report.

    Parameters
    ----------
    run : Run
    plan : Plan
    kernels : Kernels
        As many chapters run side by side as it allows.
    previous : Path, optional
        Folder of the run to compare with.
    patience : float
        Seconds to wait for another run into the same folder.

    Returns
    -------
    list of Outcome, in the order of the chapters
    """
    parameters = checked_parameters(run.about["parameters"], plan.given, plan.seed, previous)
    with exclusive(run.folder, patience):
        outcomes = _make_all(run, plan, parameters, kernels)
        if not plan.bound:
            return outcomes
        _write_run_json(run, outcomes, parameters, plan.seed)
        with _BINDING:
            report.build(run.folder, previous)
    return outcomes


def checked_parameters(
    of_base: Mapping[str, Mapping[str, object]],
    given: Mapping[str, Mapping[str, object]] = {},
    seed: int = 1,
    previous: Path | None = None,
) -> dict[str, dict[str, object]]:
    """What each chapter is run with: the run to compare with, the base's own parameters, then the command's.

    Raises
    ------
    Problem
        The base sets a parameter of a chapter that there is not, one that the chapter does not have, or a wrong type.
    """
    own = {_named([name])[0].name: values for name, values in of_base.items()}
    for name, values in _comparing(previous).items():
        own[name] = values | dict(own.get(name, {}))
    return {c.name: _parameters(c, own.get(c.name, {}), given.get(c.name, {}), seed) for c in CHAPTERS}


def notebook_parameters(notebook: Path) -> Mapping[str, object]:
    """The parameters of a notebook with their defaults, as its cell tagged ``parameters`` has them."""
    for cell in _read_notebook(notebook)["cells"]:
        if "parameters" in cell["metadata"].get("tags", ()):
            return _literals("".join(cell["source"]))
    return {}


def parsed_override(text: str) -> tuple[str, str, str]:
    """Chapter, parameter and value of one ``NOTEBOOK.PARAMETER=VALUE``.

    Examples
    --------
    >>> parsed_override("2_segments.groups=5")
    ('2_segments', 'groups', '5')
    """
    match = re.fullmatch(r"([^.=]+)\.([^.=]+)=(.*)", text, flags=re.DOTALL)
    if not match:
        raise Problem(f"-p {text} is not NOTEBOOK.PARAMETER=VALUE. Example: -p 2_segments.groups=5")
    return match[1], match[2], match[3]


@cache
def _literals(source: str) -> Mapping[str, object]:
    """Names and values of a cell of assignments; parsed once, as two threads of Python 3.11 cannot parse at a time."""
    body = ast.parse(source).body
    return {s.targets[0].id: ast.literal_eval(s.value) for s in body if isinstance(s, ast.Assign)}


def _named(names: Iterable[str]) -> list[Chapter]:
    """Chapters by name, by title or by number: 2_segments, segments and 2 are one."""
    found = []
    for name in names:
        match = [c for c in CHAPTERS if name.lower() in (c.name, c.title.lower(), c.name.split("_")[0])]
        if not match:
            known = [c.name for c in CHAPTERS]
            raise Problem(f'There is no chapter "{name}".{did_you_mean(name, known)} There are: {", ".join(known)}.')
        found += match
    return found


def _needed(chapters: list[Chapter], itself: bool = True) -> list[Chapter]:
    """The chapters and those that make what they read, in order."""
    makers = {artefact: c for c in CHAPTERS for artefact in c.writes}
    needed = set()
    ahead = [c for chapter in chapters for c in ([chapter] if itself else {makers[a] for a in chapter.reads})]
    while ahead:
        chapter = ahead.pop()
        needed.add(chapter)
        ahead += [makers[a] for a in chapter.reads]
    return [c for c in CHAPTERS if c in needed]


def _checked_overrides(overrides: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, object]]:
    """Values from the command line in the type that the notebook's own default has."""
    checked = {}
    for name, values in overrides.items():
        chapter = _named([name])[0]
        known = notebook_parameters(chapter.notebook)
        for parameter, text in values.items():
            _check_known(parameter, known, chapter)
            checked.setdefault(chapter.name, {})[parameter] = _typed_value(text, known[parameter], parameter, chapter)
    return checked


def _parameters(chapter: Chapter, of_base: Mapping, given: Mapping, seed: int) -> dict[str, object]:
    """What a notebook is run with beside its defaults."""
    known = notebook_parameters(chapter.notebook)
    for parameter, value in of_base.items():
        _check_known(parameter, known, chapter)
        _check_type(value, known[parameter], parameter, chapter)
    asked = {**of_base, **given}
    return {"seed": seed, **asked} if "seed" in known else asked


def _check_known(parameter: str, known: Mapping, chapter: Chapter) -> None:
    settable = [p for p in known if p != "run_dir"]
    if parameter not in settable:
        raise Problem(
            f'{chapter.name} has no parameter "{parameter}".{did_you_mean(parameter, settable)} '
            f"It has: {', '.join(settable) or 'none'}."
        )


def _typed_value(text: str, default: object, parameter: str, chapter: Chapter) -> object:
    if isinstance(default, str):
        return text
    try:
        value = ast.literal_eval({"true": "True", "false": "False"}.get(text.lower(), text))
    except (ValueError, SyntaxError):
        value = [part.strip() for part in text.split(",")] if isinstance(default, list) else text
    _check_type(value, default, parameter, chapter)
    return float(value) if isinstance(default, float) else value


def _check_type(value: object, default: object, parameter: str, chapter: Chapter) -> None:
    allowed = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, allowed) or (isinstance(value, bool) and not isinstance(default, bool)):
        what = {"int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list", "str": "text"}
        raise Problem(
            f"{chapter.name}.{parameter} is {what[type(default).__name__]} (default {default!r}), and {value!r} is not."
        )


def _comparing(previous: Path | None) -> dict[str, dict[str, str]]:
    """The parameter by which a chapter is told of an earlier run, if that run has what the chapter wants of it."""
    chapter, parameter, wanted = PREVIOUS
    told = previous and all(Run(previous).has(a) for a in wanted) and any(c.name == chapter for c in CHAPTERS)
    return {chapter: {parameter: str(previous / "data")}} if told else {}


def _make_all(run: Run, plan: Plan, parameters: dict, kernels: Kernels) -> list[Outcome]:
    """Each chapter as soon as those are over whose tables it takes; what was not asked for stays as it is."""
    outcomes = {c.name: _left_alone(c, run) for c in CHAPTERS if c not in plan.chapters}
    waiting, running = list(plan.chapters), dict[Future, Chapter]()
    with ThreadPoolExecutor(kernels.most) as threads:
        try:
            while waiting or running:
                for chapter in _ready(waiting, running.values())[: kernels.most - len(running)]:
                    waiting.remove(chapter)
                    ahead = waiting[0] if waiting else None
                    given = (parameters[chapter.name], chapter in plan.forced)
                    running[threads.submit(_make, chapter, run, *given, kernels, ahead)] = chapter
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    outcomes[running.pop(done).name] = done.result()
        except BaseException:  # stopped by hand: the threads end with their kernels
            kernels.__exit__()
            raise
    return [outcomes[c.name] for c in CHAPTERS]


def _ready(waiting: Sequence[Chapter], running: Iterable[Chapter]) -> list[Chapter]:
    """The chapters that wait for no other one's tables."""
    to_come = [*running, *waiting]
    awaited = {a: c for c in to_come for a in c.artefacts}
    return [c for c in waiting if not any(a in awaited for a in (*c.reads, *c.uses))]


def _make(
    chapter: Chapter, run: Run, parameters: dict, force: bool, kernels: Kernels, ahead: Chapter | None
) -> Outcome:
    """Run a chapter unless exactly this was run before; never raises for what goes wrong inside it."""
    missing = [a for a in chapter.reads if not run.has(a)]
    stamp = run.folder / "stamps" / f"{chapter.name}.json"
    if missing:
        _forget(chapter, run, stamp)
        makers = ", ".join(dict.fromkeys(c.name for c in CHAPTERS for a in missing if a in c.writes))
        return Outcome(chapter, "missing", reason=f"It needs {', '.join(missing)}, which {makers} did not make.")
    key = _key(chapter, run, parameters)
    if not force and (before := _read_stamp(stamp, key, run)):
        return Outcome(chapter, "unchanged", before["seconds"])
    _forget(chapter, run, stamp)
    started = time.perf_counter()
    reason = _execute(chapter, run, parameters, kernels, ahead)
    seconds = round(time.perf_counter() - started, 1)
    if reason:
        _forget(chapter, run, stamp)
        return Outcome(chapter, "failed", seconds, reason)
    unwritten = [a for a in chapter.writes if not run.has(a)]
    if unwritten:
        return Outcome(chapter, "failed", seconds, f"{chapter.name} ended without writing {', '.join(unwritten)}.")
    key = _key(chapter, run, parameters)  # once more: it may have written into a file that people edit
    write_json(stamp, {"key": key, "seconds": seconds, "artefacts": {a: run.digest(a) for a in chapter.artefacts}})
    return Outcome(chapter, "made", seconds)


def _left_alone(chapter: Chapter, run: Run) -> Outcome:
    """A chapter that was not asked for: as an earlier run left it, or not made."""
    stamp = run.folder / "stamps" / f"{chapter.name}.json"
    if not stamp.is_file():
        return Outcome(chapter, "missing", reason=marked("It was not asked for."))
    if not all(run.has(a) for a in chapter.writes):
        return Outcome(chapter, "missing", reason=marked("The base was read anew since, and this was not asked for."))
    return Outcome(chapter, "unchanged", json.loads(stamp.read_text())["seconds"])


def _forget(chapter: Chapter, run: Run, stamp: Path) -> None:
    """Remove what a chapter made before, so that nothing later rests on it by accident."""
    stamp.unlink(missing_ok=True)
    for artefact in chapter.artefacts:
        run.file(artefact).unlink(missing_ok=True)


def _key(chapter: Chapter, run: Run, parameters: dict) -> str:
    """Digest of all that a chapter's result depends on."""
    cells = [[c["cell_type"], "".join(c["source"])] for c in _read_notebook(chapter.notebook)["cells"]]
    tables = {a: run.digest(a) for a in (*run.tables(), *chapter.reads, *chapter.uses)}
    about = {k: v for k, v in run.about.items() if k != "inputs"}
    given = [run.folder / name for name in chapter.edited]
    given += [Path(value) for value in parameters.values() if isinstance(value, str) and value]
    given += [file.parent / "run.json" for file in given if file.is_dir()]  # it says what that run's tables are
    files = {str(file): file_digest(file) for file in given if file.is_file()}
    depends = [cells, parameters, package_digest(), tables, about, files]
    return sha256(json.dumps(depends, sort_keys=True, default=str).encode()).hexdigest()


def _read_stamp(stamp: Path, key: str, run: Run) -> dict | None:
    try:
        before = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = before["key"] == key and all(run.digest(a) == sha for a, sha in before["artefacts"].items())
    return before if same else None


def _execute(chapter: Chapter, run: Run, parameters: dict, kernels: Kernels, ahead: Chapter | None) -> str:
    """Run a notebook with papermill; what went wrong in three lines, or nothing."""
    kernel = kernels.take(_imports(chapter))
    import papermill  # here: a run with nothing to do need not load it
    from papermill.exceptions import PapermillExecutionError

    executed = run.folder / "notebooks" / f"{chapter.name}.ipynb"
    make_folder(executed.parent)
    if ahead:
        kernels.start(_imports(ahead))
    try:
        papermill.execute_notebook(
            chapter.notebook,
            executed,
            parameters={"run_dir": str(run.folder), **parameters},
            kernel_name="python3",
            km=kernel,
            progress_bar={"desc": chapter.name, "disable": not sys.stderr.isatty(), "leave": True},
            request_save_on_cell_execute=False,
        )
    except PapermillExecutionError as e:
        lines = [line for line in str(e.evalue).strip().splitlines() if line.strip()] or [""]
        error = lines[0] if e.ename == "Problem" else f"{e.ename}: {lines[0]}"
        return (
            f"{chapter.name} stopped in cell {e.cell_index + 1}.\n{error}\nThe notebook as far as it came: {executed}"
        )
    except Exception as e:  # the kernel died or would not start
        error = f"{type(e).__name__}: {e}".splitlines()[0]
        return f"{chapter.name} did not run to its end.\n{error}\nThe notebook as far as it came: {executed}"
    finally:
        kernels.stop(kernel)
        if ahead:
            kernels.start(_imports(ahead))
    return ""


def _imports(chapter: Chapter) -> list[str]:
    """The lines of a notebook that import something."""
    lines = [
        line for c in _read_notebook(chapter.notebook)["cells"] if c["cell_type"] == "code" for line in c["source"]
    ]
    return [line.strip() for line in lines if line.startswith(("import ", "from "))]


def _write_run_json(run: Run, outcomes: list[Outcome], parameters: dict, seed: int) -> None:
    """All that is needed to know what this run rests on, and to repeat it."""
    artefacts = {}
    for chapter_name, names in [("", run.tables()), *((c.name, c.artefacts) for c in CHAPTERS)]:
        for a in (a for a in names if run.has(a)):
            artefacts[a] = {"rows": run.count(a), "sha256": run.digest(a), "chapter": chapter_name}
    about = run.about
    result = sha256(json.dumps(artefacts, sort_keys=True).encode()).hexdigest()
    accounts = run.read("row_accounts")
    write_json(
        run.folder / "run.json",
        {
            **{k: about[k] for k in ("name", "title", "about", "language", "as_of", "timezone", "currency")},
            "source": about["name"],
            "seed": seed,
            "version": __version__,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "digest": result,
            "row_accounts": [_account(t, rows) for t, rows in accounts.groupby("table", sort=False)],
            "inputs": about["inputs"],
            "artefacts": artefacts,
            "packages": versions(),
            "parameters": parameters,
            "chapters": [
                {
                    "name": o.chapter.name,
                    "title": o.chapter.title,
                    "status": o.status,
                    "seconds": o.seconds,
                    "reason": o.reason,
                    "notebook": f"notebooks/{o.chapter.name}.ipynb",
                }
                for o in outcomes
            ],
        },
    )


def _account(table: str, rows) -> dict:
    kept = int(rows.loc[rows["reason"] == "", "rows"].sum())
    reasons = {r.reason: int(r.rows) for r in rows.itertuples() if r.reason}
    return {
        "table": table,
        "rows_in": kept + sum(reasons.values()),
        "kept": kept,
        "set_aside": sum(reasons.values()),
        "reasons": reasons,
        "derived": bool(rows["derived"].any()),
    }


def _read_notebook(notebook: Path) -> dict:
    return json.loads(notebook.read_text(encoding="utf-8"))
