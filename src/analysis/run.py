"""The folder of a run: the base as read, the artefacts of the chapters, and how to get at both from a notebook.

A run lives in `reports/<source>-<as_of>/`; its tables are Parquet files in `data/`, each written under another name and
renamed, so that a half-written one is never seen. A notebook calls :func:`open_run` once and then reads and saves
tables by name.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis import places, schema
from analysis.errors import Problem, did_you_mean
from analysis.phrases import LANGUAGES, speak, spoken, translated
from analysis.sources import Base, connect, find, load, set_aside
from analysis.sources import read as read_source
from analysis.sources.base import sql_name, sql_text
from analysis.sources.merging import BEFORE

#: The libraries whose version a figure may depend on.
PACKAGES = (
    *("babel", "duckdb", "narwhals", "numpy", "pandas", "persiantools", "phonenumbers", "pyarrow", "rapidfuzz"),
    *("scikit-learn", "scipy", "seaborn", "statsmodels"),
)


@dataclass(frozen=True)
class Run:
    """The folder of one run.

    Examples
    --------
    >>> run = open_run("", "1_profiles")  # doctest: +SKIP
    >>> profiles = run.read("profiles")  # doctest: +SKIP
    >>> run.save("segments", segments)  # doctest: +SKIP
    """

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @cached_property
    def about(self) -> dict:
        """What is known of the base: name, title, timezone, currency, as_of, parameters, inputs."""
        about = json.loads((self.data / "base.json").read_text(encoding="utf-8"))
        return about | {"title": translated(about["title"])}

    @cached_property
    def languages(self) -> list[str]:
        """The language of the book, then the others."""
        return sorted(LANGUAGES, key=lambda language: language != spoken())

    @cached_property
    def base(self) -> Base:
        """The customer base of this run, its tables scanned from the run's own Parquet files."""
        db = connect(self.about["timezone"])
        tables = {}
        for name in schema.TABLES:
            if self.has(name):
                db.execute(f"CREATE VIEW {name} AS FROM read_parquet({sql_text(str(self.file(name)))})")
                tables[name] = nw.from_native(db.table(name))
        before = self.has(BEFORE) and db.read_parquet(str(self.file(BEFORE)))
        return Base(
            name=self.about["name"],
            title=self.about["title"],
            about=self.about["about"],
            timezone=self.about["timezone"],
            currency=self.about["currency"],
            as_of=date.fromisoformat(self.about["as_of"]),
            tables=tables,
            accounts=self.read("row_accounts"),
            unreadable=self.read("unreadable_cells"),
            count_unified=lambda: self.read("unified_cells"),
            personal=tuple(self.about["personal"]),
            customer_merges=self.read("customer_merges"),
            before_merging=nw.from_native(before) if before else None,
            parameters=self.about["parameters"],
            limits=self.about.get("limits", {}),
            inputs=tuple(map(Path, json.loads(_reading_stamp(self.folder).read_text(encoding="utf-8"))["inputs"])),
            db=db,
        )

    def file(self, artefact: str) -> Path:
        return self.data / f"{artefact}.parquet"

    def has(self, artefact: str) -> bool:
        return self.file(artefact).is_file()

    def read(self, artefact: str) -> pd.DataFrame:
        """A table of customer scale or below, by name."""
        if not self.has(artefact):
            there = ", ".join(sorted(f.stem for f in self.data.glob("*.parquet"))) or "nothing yet"
            raise Problem(f"{self.folder.name} has no {artefact}. Run the chapter that makes it. It has: {there}.")
        return pq.read_table(self.file(artefact)).to_pandas()

    def save(self, artefact: str, table: pd.DataFrame) -> None:
        """Write a table; the same table gives the same bytes."""
        with _renamed_when_whole(self.file(artefact)) as part:
            pq.write_table(pa.Table.from_pandas(table, preserve_index=False), part, compression="zstd")

    def count(self, artefact: str) -> int:
        """Rows of an artefact, from its file's metadata."""
        return pq.read_metadata(self.file(artefact)).num_rows

    def tables(self) -> list[str]:
        """What reading made: the canonical tables, and the accounts of their rows."""
        beside = ("row_accounts", "unreadable_cells", "unified_cells", "customer_merges", BEFORE)
        return [t for t in (*schema.TABLES, *beside) if self.has(t)]

    def digest(self, artefact: str) -> str | None:
        return file_digest(self.file(artefact)) if self.has(artefact) else None


def open_run(run_dir: str, chapter: str) -> Run:
    """The run that a notebook works on; for a notebook opened on its own, the sample's, made as far as it needs.

    Parameters
    ----------
    run_dir : str
        Folder of the run; empty for the bookshop's.
    chapter : str
        The chapter that asks, e.g. "2_segments": the chapters whose tables it needs are run first if they are missing.
    """
    if not run_dir:
        # a process of its own: a kernel cannot wait for another kernel
        make_missing = [sys.executable, "-m", "analysis.cli", "report", "bookshop", "--before", chapter]
        made = subprocess.run(make_missing, capture_output=True, text=True, check=False)
        if made.returncode:
            raise Problem(made.stderr.strip() or made.stdout.strip())
        return _opened(read_already("bookshop").folder)
    folder = Path(run_dir)
    if not (folder / "data" / "base.json").is_file():
        raise Problem(
            f"{run_dir} is no run: it has no data/base.json. Make one with `moshtari report SOURCE`, or leave run_dir "
            f"empty for the bookshop."
        )
    return _opened(folder)


def read_already(
    source: str,
    as_of: date | None = None,
    data: Path | None = None,
    seed: int = 1,
    out: Path | None = None,
    language: str = "en",
    by: str = "",
) -> Run | None:
    """The run into which exactly this was read before, if there is one: same question, same files, same package."""
    asked = _asked(source, as_of, data, seed, language, by)
    name = source if source == "bookshop" else load(Path(asked["source"])).name
    folders = [out] if out else sorted(places.REPORTS.glob(f"{name}-*"))
    return next((Run(f.resolve()) for f in folders if holds(f, asked)), None)


def prepare(
    source: str,
    as_of: date | None = None,
    data: Path | None = None,
    seed: int = 1,
    out: Path | None = None,
    language: str = "en",
    patience: float = 0,
    by: str = "",
) -> Run:
    """Read a base into a run folder.

    Parameters
    ----------
    source, as_of, data, seed
        As in :func:`analysis.sources.read`.
    out : Path, optional
        The run's folder; default: `reports/<source>-<as_of>`, with `-by-<field>` where the base is to be divided and
        `-<language>` where that is not English.
    language : {"en", "fa"}
        Of the book.
    patience : float
        Seconds to wait for another run into the same folder.
    by : str
        The field of the customers by which the base will be divided; empty: it is not.

    Raises
    ------
    Problem
        Anything about the source, the folder or the field that its user can mend.
    """
    asked = _asked(source, as_of, data, seed, language, by)
    base = read_source(source, as_of, data, seed)
    if by:
        _check_field(base, by)
    divided = f"-by-{places.file_name(by)}" if by else ""
    in_language = "" if language == "en" else f"-{language}"
    return write(base, out or places.REPORTS / f"{base.name}-{base.as_of}{divided}{in_language}", asked, patience)


def write(base: Base, folder: Path, asked: dict, patience: float = 0) -> Run:
    """Write a base into a run folder, unless it holds exactly this already.

    Parameters
    ----------
    base : Base
    folder : Path
        New, empty, or a run's.
    asked : dict
        The question that the base answers, with the ``language`` of the book; see :func:`question_of`.
    patience : float
        Seconds to wait for another run into the same folder.
    """
    run = Run(folder.absolute())
    inside = [f for f in base.inputs if run.folder.resolve() in f.resolve().parents]
    if inside or (run.folder.is_dir() and any(run.folder.iterdir()) and not (run.folder / "stamps").is_dir()):
        found = f"{inside[0].name}, a file of the source" if inside else "files that no run has made"
        raise Problem(f"{run.folder} holds {found}. Choose an empty or a new folder with --out.")
    with exclusive(run.folder, patience):
        if holds(run.folder, asked):  # read by the run that this one waited for
            return run
        make_folder(run.folder / "stamps")
        try:
            _write_base(run, base, asked["language"])
        except duckdb.Error as e:
            message = str(e).splitlines()[0].rstrip(".")
            raise Problem(f"{base.name}: {message}. Check the mapping's SQL and the files.") from None
        inputs = {str(f): file_digest(f) for f in base.inputs}
        write_json(_reading_stamp(run.folder), {"asked": asked, "inputs": inputs, "package": package_digest()})
    return run


def question_of(folder: Path) -> dict:
    """The question that the run in a folder answers: source, as_of, language and so on; empty where there is no run.

    Examples
    --------
    >>> question_of(Path("nowhere"))
    {}
    """
    try:
        return json.loads(_reading_stamp(folder).read_text(encoding="utf-8"))["asked"]
    except (OSError, ValueError):
        return {}


def earlier(run: Run, previous: Path | None = None) -> Path | None:
    """The run with which a run is compared: the one that was named, else the last one of the same source.

    Parameters
    ----------
    run : Run
    previous : Path, optional
        Folder of an earlier run.

    Returns
    -------
    Path or None
        None where no earlier run answers the same question: same source, language and part, as of an earlier day.

    Raises
    ------
    Problem
        The folder that was named holds no finished run, or one that is not earlier, not of this source or not divided
        like this one.
    """
    if previous is None:
        beside = [f for f in places.REPORTS.glob(f"{run.about['name']}-*") if f.is_dir()]
        return last_before(run, [*beside, *(part for f in beside for part in f.iterdir())])
    _check_earlier(run, previous)
    return previous.resolve()


def last_before(run: Run, folders: Iterable[Path]) -> Path | None:
    """The last of some folders whose finished run answers the same question as of an earlier day."""
    asked = _asked_always(run.folder)
    same = [f for f in folders if (f / "index.html").is_file() and _asked_always(f) == asked]
    before = {Run(f).about["as_of"]: f for f in sorted(same) if Run(f).about["as_of"] < run.about["as_of"]}
    return before[max(before)].resolve() if before else None


@contextmanager
def exclusive(folder: Path, patience: float = 0) -> Iterator[None]:
    """Hold a run's folder; a second run into the same folder waits so many seconds, then stops with a message."""
    from filelock import FileLock, Timeout  # here: notebooks do not need it

    make_folder(folder)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise Problem(
            f"{folder} is being written by another run. Wait for it, or choose another folder with --out."
        ) from None
    except OSError as e:
        raise Problem(f"{folder} cannot be written: {e.strerror}. Choose another folder with --out.") from None
    try:
        yield
    finally:
        lock.release()


def make_folder(folder: Path) -> None:
    """Make a folder to write into, or say why that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "no permission to write")
    except OSError as e:
        raise Problem(f"{folder} cannot be written: {e.strerror}. Choose another folder with --out.") from None


def file_digest(file: Path) -> str:
    """SHA-256 of a file; one that has not been touched since is not read again."""
    seen = file.stat()
    return _digest(file.absolute(), seen.st_ino, seen.st_mtime_ns, seen.st_size)


@cache
def package_digest() -> str:
    """SHA-256 over the package's own source and the versions of the libraries that figures rest on."""
    digest = hashlib.sha256(json.dumps(versions()).encode())
    root = Path(__file__).parent
    for file in sorted(
        p
        for p in root.rglob("*")
        if p.suffix in (".po", ".py", ".toml") and "notebooks" not in p.relative_to(root).parts
    ):
        digest.update(str(file.relative_to(root)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Python's version and those of the libraries."""
    return {"python": ".".join(map(str, sys.version_info[:3]))} | {p: version(p) for p in PACKAGES}


def write_json(file: Path, content: object) -> None:
    """Write a JSON file that is never seen half-written."""
    with _renamed_when_whole(file) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _check_field(base: Base, field: str) -> None:
    """See that customers can be divided by a field, and that its values may be told."""
    fields = base["customers"].collect_schema()
    secret = {"customer_id", *base.personal, *(c.name for c in schema.TABLES["customers"].columns if c.personal)}
    several = {name for name, kind in fields.items() if kind == nw.List}
    usable = [f for f in fields if f not in secret | several]
    if field in usable:
        return
    why = f'the customers of {base.name} have no field "{field}".{did_you_mean(field, usable)}'
    if field in fields:
        why = f'"{field}" identifies a person.' if field in secret else f'a customer can have several "{field}".'
    raise Problem(f"--by {field}: {why} To divide by there are: {', '.join(usable) or 'none'}.")


@cache
def _digest(file: Path, *_) -> str:
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _write_base(run: Run, base: Base, language: str) -> None:
    """The base as artefacts: canonical tables in an order of their own, row accounts, and what was set aside."""
    _reading_stamp(run.folder).unlink(missing_ok=True)
    make_folder(run.data)
    for stale in (*run.data.glob("*.parquet"), *(run.folder / "set_aside").glob("*.parquet")):
        stale.unlink()  # a run's own: the folder was new, or a run
    for name in base:
        _copy(base, f"SELECT * FROM {sql_name(name)} ORDER BY ALL", run.file(name))
        if (rows := set_aside(base, name)) is not None:
            make_folder(run.folder / "set_aside")
            _copy(base, rows, run.folder / "set_aside" / f"{name}.parquet")
    run.save("row_accounts", base.accounts[["table", "reason", "rows", "defect", "derived", "amount"]])
    run.save("unreadable_cells", base.unreadable)
    run.save("customer_merges", base.customer_merges)
    if base.before_merging is not None:
        _copy(base, f"SELECT * FROM {BEFORE} ORDER BY ALL", run.file(BEFORE))
    run.save("unified_cells", base.unified)
    write_json(
        run.data / "base.json",
        {
            "name": base.name,
            "title": base.title,
            "about": base.about,
            "language": language,
            "timezone": base.timezone,
            "currency": base.currency,
            "as_of": base.as_of.isoformat(),
            "personal": list(base.personal),
            "parameters": base.parameters,
            "limits": base.limits,
            "inputs": [{"path": f.name, "sha256": file_digest(f), "bytes": f.stat().st_size} for f in base.inputs],
        },
    )


def _copy(base: Base, select: str, file: Path) -> None:
    with _renamed_when_whole(file) as part:
        base.db.execute(f"COPY ({select}) TO {sql_text(str(part))} (FORMAT parquet, COMPRESSION zstd)")


@contextmanager
def _renamed_when_whole(file: Path) -> Iterator[Path]:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _reading_stamp(folder: Path) -> Path:
    return folder / "stamps" / "reading.json"


def _asked_always(folder: Path) -> dict:
    """What of its question a run shares with those before and after it."""
    return {k: v for k, v in question_of(folder).items() if k not in ("as_of", "data")}


def _opened(folder: Path) -> Run:
    """A run, in whose language the process speaks from now on."""
    speak(Run(folder.resolve()).about.get("language", "en"))
    return Run(folder.resolve())  # anew: what it says of the base is said in that language


def _check_earlier(run: Run, previous: Path) -> None:
    """See that a run which was named can be compared with: finished, of the same source and customers, and earlier."""
    if not (previous / "data" / "base.json").is_file():
        raise Problem(f"--previous {previous} is no run: it has no data/base.json. Name the folder of an earlier run.")
    wanted, found = run.about, Run(previous).about
    if found["name"] != wanted["name"] or found["as_of"] >= wanted["as_of"]:
        raise Problem(
            f"--previous {previous} is {found['name']} as of {found['as_of']}; wanted is {wanted['name']} before "
            f"{wanted['as_of']}. Name the folder of an earlier run of the same source."
        )
    asked, answered = question_of(run.folder), question_of(previous)
    if any(asked.get(k) != answered.get(k) for k in ("by", "value")):
        raise Problem(
            f"--previous {previous} is of {_customers(answered)}; wanted is one of {_customers(asked)}. "
            f"Name the folder of an earlier run of the same customers."
        )
    if not (previous / "index.html").is_file():
        raise Problem(f"--previous {previous} was stopped before its report was written. Name one that has index.html.")


def _customers(asked: dict) -> str:
    """Of whom a run is, by its question."""
    if "value" in asked:
        return f"the customers with one {asked['by']}"
    return f"all customers, divided by {asked['by']}" if "by" in asked else "all customers together"


def _asked(source: str, as_of: date | None, data: Path | None, seed: int, language: str, by: str) -> dict:
    """The question that reading answers."""
    sample = source == "bookshop"
    return {
        "source": source if sample else str(find(source).resolve()),
        "as_of": as_of and as_of.isoformat(),
        "data": None if sample else str((data or places.DATA).absolute()),
        "seed": seed if sample else None,
        "language": language,
    } | ({"by": by} if by else {})


def holds(folder: Path, asked: dict) -> bool:
    """Whether a folder holds exactly what reading would give now."""
    try:
        stamp = json.loads(_reading_stamp(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (
        stamp["asked"] == asked
        and stamp["package"] == package_digest()
        and all(Path(f).is_file() and file_digest(Path(f)) == sha for f, sha in stamp["inputs"].items())
    )
